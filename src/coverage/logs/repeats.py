"""Which rows of a file repeat an earlier one letter by letter, told block by block."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
LONG_BYTES = 4096  # lines beyond are few, and are hashed one by one
RUN_ROWS = 1_000_000  # runs this long are merged no more: merging needs three times their memory
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits without pattern: the golden ratio's
# How many bytes of a word belong to the line → those bytes.
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


def keys(lines: pa.Array) -> Keys:
    """A number of 64 bits for each line's text: equal texts have equal numbers.

    Two different rows of ten million share one with a chance of three in a million. Words of eight bytes are mixed in
    one after another, each by a bijection, so that lines that differ in one word never share a number. Own code:
    the hashes at hand are slow because they make an object of each line, or too weak (one database's is the same
    for two rows of a real log).
    """
    starts = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset : lines.offset + len(lines) + 1]
    text = np.frombuffer(lines.buffers()[2] or b"", np.uint8)
    length = np.diff(starts)
    found = length.astype(np.uint64)
    words = _words(np.concatenate([text, np.zeros(8, np.uint8)]))
    at = np.flatnonzero(length <= LONG_BYTES)
    here, left = starts[at], length[at]
    while len(at):
        if not (whole := bool((left >= 8).all())):
            at, here, left = at[left > 0], here[left > 0], left[left > 0]
        word = words[here] if whole else words[here] & _FIRST_BYTES[np.minimum(left, 8)]
        if len(at) == len(found):
            found = _mixed(found, word)
        else:
            found[at] = _mixed(found[at], word)
        here, left = here + 8, left - 8
    for index in np.flatnonzero(length > LONG_BYTES):
        line = text[starts[index] : starts[index + 1]].tobytes()
        found[index] = int.from_bytes(blake2b(line, digest_size=8).digest(), "little")
    return found


def _words(text: npt.NDArray[np.uint8]) -> Keys:
    """The eight bytes that begin at each byte of the text but the last seven."""
    return np.ndarray((len(text) - 7,), np.dtype("<u8"), text, strides=(1,))


def _mixed(key: Keys, word: Keys) -> Keys:
    """The keys with a word mixed in: exclusive or, an odd factor and a shift can each be undone."""
    made = (key ^ word) * _FACTOR
    made ^= made >> np.uint64(32)
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
        while len(self._runs) > 1 and len(self._runs[-2][0]) < min(2 * len(self._runs[-1][0]), RUN_ROWS):
            one, other = self._runs.pop(), self._runs.pop()
            run = np.concatenate([one[0], other[0]])
            order = np.argsort(run, kind="stable")
            self._runs.append((run[order], np.concatenate([one[1], other[1]])[order]))
