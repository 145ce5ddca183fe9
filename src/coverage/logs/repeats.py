"""Which rows of a file repeat an earlier one letter by letter, told block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]


def keys(raw: pa.Array) -> Keys:
    """A number of 64 bits for each row's text: equal texts have equal numbers.

    Two different rows of ten million share one with a chance of three in a million.
    """
    # SipHash: the faster hashes of databases are not enough, two rows of one real log shared such a number.
    made: Keys = pd.util.hash_array(raw.to_numpy(zero_copy_only=False), categorize=False)
    return made


class Seen:
    """The rows seen so far, twelve bytes each: sorted runs of keys with their lines, merged as they grow."""

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, npt.NDArray[np.int32]]] = []

    def repeats(self, new: Keys, line: Ints) -> Ints:
        """For each row the line of the earlier one that it repeats, 0 where it is the first; all are seen now."""
        order = np.argsort(new)
        unique = new[order]
        if (unique[1:] == unique[:-1]).any():
            return self._with_repeats(new, line)
        found = np.zeros(len(new), np.int64)
        found[order] = earlier = self._lines_of(unique)
        self._add(unique[earlier == 0], line[order][earlier == 0])
        return found

    def _with_repeats(self, new: Keys, line: Ints) -> Ints:
        unique, first, back = np.unique(new, return_index=True, return_inverse=True)
        earlier = self._lines_of(unique)
        fresh = earlier == 0
        origin = np.where(fresh, line[first], earlier)[back]
        self._add(unique[fresh], line[first][fresh])
        repeated = (np.arange(len(new)) != first[back]) | ~fresh[back]
        return np.where(repeated, origin, 0)

    def _lines_of(self, unique: Keys) -> Ints:
        found = np.zeros(len(unique), np.int64)
        for run, lines in self._runs:
            at = np.minimum(np.searchsorted(run, unique), len(run) - 1)
            hit = run[at] == unique
            found[hit] = lines[at[hit]]
        return found

    def _add(self, unique: Keys, line: Ints) -> None:
        if not len(unique):
            return
        self._runs.append((unique, line.astype(np.int32)))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            one, other = self._runs.pop(), self._runs.pop()
            run = np.concatenate([one[0], other[0]])
            order = np.argsort(run, kind="stable")
            self._runs.append((run[order], np.concatenate([one[1], other[1]])[order]))
