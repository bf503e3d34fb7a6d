"""The index says what a linear scan says, however its plans came into it and however they are cut into chunks."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.search_index.plan_chunks import Entry
from app.adapters.outbound.search_index.plan_index import CHUNK_SIZE, DURATION_LIMITS, EMPTY, PlanIndex

HOUR = 3600.0
DAY = 24 * HOUR

DURATIONS = st.sampled_from([0.0, 1.0, HOUR, 2 * HOUR, 3 * HOUR, DAY, 3 * DAY, 40 * DAY, *DURATION_LIMITS[:-1]])
# few different starts, so that several plans begin together, on either side of a chunk's end
STARTS = st.integers(0, 30).map(lambda hour: hour * HOUR) | st.integers(-(10**9), 4 * 10**9).map(float)
# a date-time has no more than microseconds
BOUNDS = (
    STARTS | st.integers(-1, 31).map(lambda hour: hour * HOUR + 1) | st.integers(0, 3 * 10**11).map(lambda n: n / 1e6)
)
CHUNK_SIZES = st.sampled_from([1, 2, 3, 8, CHUNK_SIZE])


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    times = draw(st.lists(st.tuples(STARTS, DURATIONS), max_size=60))
    numbers = draw(st.permutations(range(len(times))))
    return [
        Entry(starts_at, fragment_of(number), starts_at + duration)
        for number, (starts_at, duration) in zip(numbers, times, strict=True)
    ]


@st.composite
def windows(draw: st.DrawFn) -> tuple[float, float]:
    after, before = sorted((draw(BOUNDS), draw(BOUNDS)))
    return draw(st.sampled_from([(after, before), (-inf, before), (after, inf), (-inf, inf)]))


def fragment_of(number: int, version: int = 1) -> bytes:
    return b'{"id":"%04d","version":%d}' % (number, version)


def prefix_of(entry: Entry) -> bytes:
    return entry.fragment[: len(b'{"id":"0000"')]


def scan(held: list[Entry], after: float, before: float) -> list[bytes]:
    inside = [entry for entry in held if after <= entry.starts_at and entry.ends_at <= before]
    return [entry.fragment for entry in sorted(inside, key=lambda entry: (entry.starts_at, entry.fragment))]


def found(index: PlanIndex, after: float, before: float) -> list[bytes]:
    """Ask in every way, and take one answer when all are the same."""
    plans = index.find(after, before)
    fragments = plans.fragments()
    tag, buffers = plans.read()
    assert b",".join(buffers) == b",".join(fragments)
    assert tag == plans.tag
    assert plans.most >= len(fragments)
    return fragments


def chunk_lengths(index: PlanIndex) -> list[int]:
    return [len(chunk.starts) for part in index.overlay if part for chunk in part.run.chunks]


def an_entry(number: int = 0, *, starts: float = 0.0, lasts: float = HOUR) -> Entry:
    return Entry(starts, fragment_of(number), starts + lasts)


@given(entries(), windows(), CHUNK_SIZES)
def test_an_index_finds_what_a_linear_scan_finds(held: list[Entry], window: tuple[float, float], chunk_size: int):
    index = PlanIndex.of(held, chunk_size=chunk_size)

    assert found(index, *window) == scan(held, *window)


@given(entries(), windows(), CHUNK_SIZES, st.data())
def test_an_index_that_grew_step_by_step_finds_the_same(
    held: list[Entry], window: tuple[float, float], chunk_size: int, data: st.DataObject
):
    index = PlanIndex.of([], chunk_size=chunk_size)
    rest = held

    while rest:
        step = data.draw(st.integers(1, len(rest)))
        index, rest = index.replacing([], rest[:step]), rest[step:]

    assert found(index, *window) == scan(held, *window)
    assert index.size == len(held)


@given(entries(), entries(), windows(), CHUNK_SIZES, st.data())
def test_replaced_plans_are_found_as_they_are_now_and_nothing_else_changes(
    held: list[Entry], others: list[Entry], window: tuple[float, float], chunk_size: int, data: st.DataObject
):
    replaced = data.draw(st.lists(st.sampled_from(held), unique=True)) if held else []
    moved = [
        Entry(other.starts_at, fragment_of(number, version=2), other.ends_at) for number, other in enumerate(others)
    ]
    index = PlanIndex.of(held, chunk_size=chunk_size)

    later = index.replacing(replaced, moved)

    now_held = [entry for entry in held if entry not in replaced] + moved
    assert found(later, *window) == scan(now_held, *window)
    assert later.size == len(now_held)
    assert sorted(later.changed()) == sorted(now_held)
    assert found(index, *window) == scan(held, *window), "the index before is immutable"


@given(entries(), CHUNK_SIZES)
def test_an_index_can_be_emptied_and_filled_again(held: list[Entry], chunk_size: int):
    index = PlanIndex.of(held, chunk_size=chunk_size)

    emptied = index.replacing(held, [])

    assert found(emptied, -inf, inf) == []
    assert emptied.size == 0
    assert found(emptied.replacing([], held), -inf, inf) == scan(held, -inf, inf)


@given(entries(), windows(), CHUNK_SIZES, st.integers(1, 70))
def test_pieces_joined_are_the_whole_answer_and_none_is_larger_than_asked(
    held: list[Entry], window: tuple[float, float], chunk_size: int, size: int
):
    index = PlanIndex.of(held, chunk_size=chunk_size)

    pieces = list(index.find(*window).pieces(size))

    assert [fragment for piece in pieces for fragment in piece] == scan(held, *window)
    assert all(0 < len(piece) <= size for piece in pieces)


@given(entries(), CHUNK_SIZES)
def test_every_plan_is_looked_up_by_its_start_and_the_beginning_of_its_fragment(held: list[Entry], chunk_size: int):
    index = PlanIndex.of(held, chunk_size=chunk_size)

    looked_up = [index.lookup(entry.starts_at, prefix_of(entry)) for entry in held]

    assert looked_up == held


@given(entries(), STARTS, CHUNK_SIZES)
def test_a_plan_that_is_not_there_is_not_looked_up(held: list[Entry], starts_at: float, chunk_size: int):
    index = PlanIndex.of(held, chunk_size=chunk_size)

    assert index.lookup(starts_at, b'{"id":"none"') is None
    assert all(index.lookup(entry.starts_at + 0.5, prefix_of(entry)) is None for entry in held)


@given(entries(), CHUNK_SIZES)
def test_what_a_search_returns_may_be_changed_without_harm(held: list[Entry], chunk_size: int):
    index = PlanIndex.of(held, chunk_size=chunk_size)

    found(index, -inf, inf).clear()

    assert found(index, -inf, inf) == scan(held, -inf, inf)


@pytest.mark.parametrize("lasts", [0.0, HOUR, 7 * HOUR, 3 * DAY, 30 * DAY])
def test_both_bounds_are_inclusive(lasts: float):
    index = PlanIndex.of([an_entry(starts=1000.0, lasts=lasts)])

    assert found(index, 1000.0, 1000.0 + lasts) == [fragment_of(0)]
    assert found(index, 1000.001, 1000.0 + lasts + DAY) == []
    assert found(index, 999.0 - DAY, 1000.0 + lasts - 0.001) == []


def test_a_plan_of_zero_length_is_found_by_a_window_of_zero_length():
    index = PlanIndex.of([an_entry(starts=1000.0, lasts=0.0), an_entry(1, starts=1000.0, lasts=1.0)])

    assert found(index, 1000.0, 1000.0) == [fragment_of(0)]


def test_plans_of_all_durations_come_by_start_then_by_id():
    held = [
        an_entry(3, starts=0.0, lasts=HOUR),
        an_entry(2, starts=0.0, lasts=30 * DAY),
        an_entry(1, starts=0.0, lasts=DAY),
        an_entry(0, starts=1.0, lasts=0.0),
    ]

    assert found(PlanIndex.of(held), -inf, inf) == [fragment_of(1), fragment_of(2), fragment_of(3), fragment_of(0)]


def test_a_chunk_that_grows_too_long_is_cut():
    index = PlanIndex.of([], chunk_size=4)

    for number in range(100):
        index = index.replacing([], [an_entry(number, starts=float(number % 7))])

    lengths = chunk_lengths(index)
    assert sum(lengths) == 100
    assert max(lengths) < 8


def test_full_sized_chunks_are_cut_and_read_like_small_ones():
    held = [an_entry(number, starts=float(number * 7919 % 3000), lasts=float(number % 5)) for number in range(3000)]

    grown = EMPTY
    for at in range(0, len(held), 100):
        grown = grown.replacing([], held[at : at + 100])

    assert found(grown, 500.0, 2500.0) == found(PlanIndex.of(held), 500.0, 2500.0) == scan(held, 500.0, 2500.0)
    assert max(chunk_lengths(grown)) < 2 * CHUNK_SIZE


def test_the_empty_index_finds_nothing():
    assert found(EMPTY, -inf, inf) == []
    assert EMPTY.lookup(0.0, b"") is None
    assert EMPTY.size == 0
