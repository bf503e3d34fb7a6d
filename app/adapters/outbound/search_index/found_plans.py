"""What a search found: rows of the parts of an index, named by a tag and read out when they are wanted."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import chain, islice
from typing import Protocol

from app.adapters.outbound.search_index.plan_chunks import MARK_MASK, Buffer, Pair


class Rows(Protocol):
    """Sorted rows. The first ones surely end in time; from `unsure` on each end is compared with `before`."""

    def read(self, low: int, unsure: int, high: int, before: float) -> tuple[int, list[Buffer]]:
        """Read their mark and the fragments, to be joined by commas; a buffer may hold several, with their commas."""

    def mark(self, low: int, unsure: int, high: int, before: float) -> int:
        """Sum up their marks; only the lowest 60 bits count."""

    def pairs(self, low: int, unsure: int, high: int, before: float) -> Iterator[Pair]:
        """Read the start and the fragment of each."""


Hit = tuple[Rows, int, int, int]
"""Rows low to high start inside the window; those from the second number on may end too late.

A bare tuple, because every search makes one.
"""


class FoundPlans:
    """The plans inside a window, as they were when the index was asked, whatever becomes of them."""

    __slots__ = ("_before", "_groups")

    def __init__(self, groups: Sequence[Sequence[Hit]], before: float) -> None:
        """Take sorted hits, a group for each part of the index; what ends after `before` is none of it."""
        self._groups = groups
        self._before = before

    @property
    def tag(self) -> bytes:
        """Name the answer (RFC 9110, 8.8.3): the same plans give the same tag, in every process and for every window.

        It is known without reading a plan: the sum of marks of what lies in the window (ADR 0088).
        """
        before = self._before
        return _tag(sum(rows.mark(low, unsure, high, before) for rows, low, unsure, high in self._hits()))

    def _hits(self) -> Iterator[Hit]:
        return chain.from_iterable(self._groups)

    @property
    def most(self) -> int:
        """How many plans there may be, at the most."""
        groups = self._groups
        if len(groups) == 1 and len(groups[0]) == 1:  # as of most windows
            _, low, _, high = groups[0][0]
            return high - low
        return sum([high - low for _, low, _, high in self._hits()])

    def read(self) -> tuple[bytes, list[Buffer]]:
        """Read the tag and everything, by start, then by id: a list of the caller's own, to be joined by commas."""
        groups, before = self._groups, self._before
        if len(groups) == 1 and len(groups[0]) == 1:
            rows, low, unsure, high = groups[0][0]
            mark, buffers = rows.read(low, unsure, high, before)
            return _tag(mark), buffers
        if len(groups) > 1:
            pairs = [pair for rows, low, unsure, high in self._hits() for pair in rows.pairs(low, unsure, high, before)]
            pairs.sort()
            return self.tag, [fragment for _, fragment in pairs]
        parts = [rows.read(low, unsure, high, before) for rows, low, unsure, high in self._hits()]
        return _tag(sum(mark for mark, _ in parts)), [buffer for _, buffers in parts for buffer in buffers]

    def fragments(self) -> list[bytes]:
        """Read out the same, each plan's by itself."""
        return [fragment for _, fragment in self._merged()]

    def pieces(self, size: int) -> Iterator[list[Buffer]]:
        """Read out the same bit by bit, `size` plans at a time at the most: what is large is not made at one go."""
        if len(self._groups) == 1:
            return self._pieces_of(self._groups[0], size)
        return _cut((fragment for _, fragment in self._merged()), size)

    def _pieces_of(self, hits: Sequence[Hit], size: int) -> Iterator[list[Buffer]]:
        for rows, low, unsure, high in hits:
            for at in range(low, high, size):
                end = min(at + size, high)
                _, piece = rows.read(at, min(max(unsure, at), end), end, self._before)
                if piece:
                    yield piece

    def _merged(self) -> Iterator[Pair]:
        before = self._before
        return merge(*(_pairs_of(hits, before) for hits in self._groups))


def _pairs_of(hits: Sequence[Hit], before: float) -> Iterator[Pair]:
    """Read them hit by hit, so that a large one is not read before it is wanted."""
    return (pair for rows, low, unsure, high in hits for pair in rows.pairs(low, unsure, high, before))


def _cut(fragments: Iterator[bytes], size: int) -> Iterator[list[Buffer]]:
    while piece := list[Buffer](islice(fragments, size)):
        yield piece


def _tag(mark: int) -> bytes:
    return b'"%015x"' % (mark & MARK_MASK)
