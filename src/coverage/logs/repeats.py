"""Which rows of a file repeat an earlier one letter by letter, told block by block."""

from __future__ import annotations

import mmap
import tempfile
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
LONG_BYTES = 4096  # lines beyond are few, and are hashed one by one
RUN_ROWS = 1_000_000  # runs grow to this length, then go to disk: merging needs three times their memory
# A filter of so many words of 64 bits, two keys a word; the next one of a file has four times as many, up to a limit.
FIRST_WORDS, MOST_WORDS, KEYS_A_WORD = 2**16, 2**24, 2
_BIT_AT = np.array(
    [0, 6, 12, 18, 24, 30], np.uint64
)  # where a key says which bits of its word it sets: six bits each
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


@dataclass(frozen=True)
class Block:
    """The rows of a block by their keys.

    keys: each that occurs, once, rising; row: the first row that has it; again, first: the rows that repeat an
    earlier one of the block, rising, and for each the first that it repeats.
    """

    keys: Keys
    row: Ints
    again: Ints
    first: Ints


def block(found: Keys) -> Block:
    """The rows of a block, row by row given by their keys."""
    order = np.argsort(found)
    ordered = found[order]
    new = np.ones(len(found), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    if new.all():
        return Block(ordered, order, order[:0], order[:0])
    row = np.minimum.reduceat(order, np.flatnonzero(new))
    first = np.empty(len(found), np.int64)
    first[order] = row[np.cumsum(new) - 1]
    again = np.flatnonzero(first != np.arange(len(found)))
    return Block(ordered[new], row, again, first[again])


@dataclass(frozen=True)
class _Run:
    """Rising keys and the line of each; mapped: the file that holds them, None = memory."""

    keys: Keys
    lines: npt.NDArray[np.int32]
    mapped: mmap.mmap | None = None


class Seen:
    """The rows seen so far: sorted runs of keys with their lines, on disk once they are long.

    scratch: the folder for those, in files without a name that are gone when the process is; None = all in memory,
    twelve bytes a row. Beside them some four bytes a row tell most new rows at one look (see `_Filter`).
    """

    def __init__(self, scratch: Path | None = None) -> None:
        self._scratch = scratch
        self._runs: list[_Run] = []  # whole ones
        self._short: list[_Run] = []  # of a block each
        self._filters: list[_Filter] = []

    def repeats(self, new: Block, line: Ints) -> Ints:
        """For each of `new.row` the line of the earlier row that it repeats, 0 where there is none; all are seen now.

        line: that of each row of the block.
        """
        found = np.zeros(len(new.keys), np.int64)
        bits = _bits(new.keys)
        maybe = np.zeros(len(new.keys), bool)
        for one in self._filters:
            maybe |= one.may_hold(new.keys, bits)
        found[maybe] = self._lines_of(new.keys[maybe])
        if found.any():
            fresh = found == 0
            self._add(new.keys[fresh], bits[fresh], line[new.row[fresh]])
        else:
            self._add(new.keys, bits, line[new.row])
        return found

    def _lines_of(self, keys: Keys) -> Ints:
        found = np.zeros(len(keys), np.int64)
        for run in (*self._runs, *self._short) if len(keys) else ():
            at = np.minimum(np.searchsorted(run.keys, keys), len(run.keys) - 1)
            hit = run.keys[at] == keys
            found[hit] = run.lines[at[hit]]
            if run.mapped is not None:  # what was looked at need not stay in memory
                run.mapped.madvise(mmap.MADV_DONTNEED)
        return found

    def _add(self, keys: Keys, bits: Keys, line: Ints) -> None:
        if not len(keys):
            return
        if not self._filters or self._filters[-1].full:
            self._filters.append(_Filter(min(MOST_WORDS, FIRST_WORDS * 4 ** len(self._filters))))
        self._filters[-1].add(keys, bits)
        self._short.append(_Run(keys, line.astype(np.int32)))
        if sum(len(run.keys) for run in self._short) >= RUN_ROWS:
            merged = _merged(self._short)
            self._runs.append(merged if self._scratch is None else _on_disk(merged, self._scratch))
            self._short = []


def _merged(runs: list[_Run]) -> _Run:
    keys = np.concatenate([run.keys for run in runs])
    order = np.argsort(keys, kind="stable")  # which finds the runs in it and merges them
    return _Run(keys[order], np.concatenate([run.lines for run in runs])[order])


def _on_disk(run: _Run, folder: Path) -> _Run:
    with tempfile.TemporaryFile(dir=folder) as stream:
        run.keys.tofile(stream)
        run.lines.tofile(stream)
        stream.flush()
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    rows = len(run.keys)
    return _Run(
        np.frombuffer(mapped, np.uint64, rows), np.frombuffer(mapped, np.int32, rows, 8 * rows), mapped
    )


class _Filter:
    """A Bloom filter: a key that is in it is always told, one that is not is told in one of 2,500 cases (measured, full).

    All bits of a key are in one word, so that one look at memory tells.
    """

    def __init__(self, words: int) -> None:
        self._words = np.zeros(words, np.uint64)
        self._shift = np.uint64(64 - (words - 1).bit_length())
        self._left = words * KEYS_A_WORD

    @property
    def full(self) -> bool:
        """Whether more keys would make it tell too much."""
        return self._left <= 0

    def may_hold(self, keys: Keys, bits: Keys) -> Bools:
        """Which keys may be in it."""
        held: Bools = (self._words[keys >> self._shift] & bits) == bits
        return held

    def add(self, keys: Keys, bits: Keys) -> None:
        """Rising keys are in it from now on."""
        at = keys >> self._shift
        starts = np.concatenate([[0], np.flatnonzero(at[1:] != at[:-1]) + 1])
        self._words[at[starts]] |= np.bitwise_or.reduceat(bits, starts)
        self._left -= len(keys)


def _bits(keys: Keys) -> Keys:
    """The bits that each key sets in its word."""
    made = np.zeros(len(keys), np.uint64)
    for at in _BIT_AT:
        made |= np.uint64(1) << ((keys >> at) & np.uint64(63))
    return made
