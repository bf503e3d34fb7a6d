"""Importing: every row is stored, known or rejected, once, however often the import is cut short."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.application.import_activities import (
    ActivityFile,
    ActivityFileError,
    Chunk,
    ImportActivities,
    ImportedRow,
    ImportedRows,
    ImportReport,
    ImportWatcher,
    RejectedRow,
    Rejects,
)
from app.application.ports.activities import ActivityStore
from app.application.ports.imports import (
    BegunImport,
    Import,
    ImportBeingUndoneError,
    ImportId,
    Imports,
    ImportState,
    NewImport,
)
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import Activity
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_types import MemoryActivityTypes
from tests.support.fixed_clock import FixedClock

AT = datetime(2026, 1, 5, tzinfo=UTC)


class ListedFile(ActivityFile):
    """A file of letters, each a row: `x` is refused by the door, `!` by the store, the others are stored."""

    def __init__(self, rows: str, size: int = 3, broken_at: int | None = None) -> None:
        self._rows = rows
        self._size = size
        self._broken_at = broken_at

    @property
    def import_(self) -> NewImport:
        return NewImport(f"digest of {self._rows}", "letters.csv", "csv")

    def chunks(self, after: int) -> Iterator[Chunk]:
        for begin in range(after, len(self._rows), self._size):
            if self._broken_at is not None and begin >= self._broken_at:
                raise ActivityFileError("the file has a hole")
            numbered = list(enumerate(self._rows[begin : begin + self._size], begin + 1))
            good = [ImportedRow(n, row, an_activity(n, row)) for n, row in numbered if row != "x"]
            bad = [RejectedRow(n, row, "refused", "is an x") for n, row in numbered if row == "x"]
            done = begin + len(numbered)
            yield Chunk(begin + 1, ImportedRows.of(good), bad, done, done / len(self._rows))


def an_activity(number: int, row: str) -> Activity:
    return Activity(UUID(int=number), "bad" if row == "!" else "view", AT)


class ListedRejects(Rejects):
    def __init__(self) -> None:
        self.rows: list[RejectedRow] = []

    def forget_from(self, line: int) -> None:
        self.rows = [row for row in self.rows if row.line < line]

    def add(self, rows: Sequence[RejectedRow]) -> None:
        self.rows += rows

    @property
    def lines(self) -> list[int]:
        return [row.line for row in self.rows]


class Failing(ActivityStore, Imports):
    """Another store that goes away at the n-th call of a method."""

    def __init__(self, store: MemoryActivityStore, *, at_store: int | None = None, at_mark: int | None = None) -> None:
        self._store = store
        self._left = {"store": at_store, "mark": at_mark}

    def _count(self, method: str) -> None:
        left = self._left[method]
        if left is None:
            return
        self._left[method] = left - 1
        if left <= 1:
            raise HistoryUnavailableError("the disk is full")

    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:
        self._count("store")
        return await self._store.store(activities, import_id)

    async def begin(self, new: NewImport, at: datetime) -> BegunImport:
        return await self._store.imports.begin(new, at)

    async def mark(self, import_id: ImportId, rows: int) -> None:
        self._count("mark")
        await self._store.imports.mark(import_id, rows)

    async def finish(self, import_id: ImportId, at: datetime) -> None:
        await self._store.imports.finish(import_id, at)

    async def newest(self, limit: int) -> Sequence[Import]:
        return await self._store.imports.newest(limit)


class World:
    def __init__(self) -> None:
        self.store = MemoryActivityStore(UTC)
        self.store.not_storable.add("bad")
        self.rejects = ListedRejects()
        self.clock = FixedClock(AT)
        self.import_activities = ImportActivities(self.store, self.store.imports, self.clock)

    def failing(self, *, at_store: int | None = None, at_mark: int | None = None) -> ImportActivities:
        failing = Failing(self.store, at_store=at_store, at_mark=at_mark)
        return ImportActivities(failing, failing, self.clock)

    async def stored(self) -> int:
        return sum(total.count for total in await self.store.totals())

    async def imports(self) -> Sequence[Import]:
        return await self.store.imports.newest(100)


@pytest.fixture
def world() -> World:
    return World()


async def test_every_row_is_stored_known_or_rejected(world: World) -> None:
    await world.store.store([an_activity(2, "b")])

    report = await world.import_activities(ListedFile("abxd!fg"), world.rejects)

    assert (report.stored, report.duplicates, report.rejected, report.rows) == (4, 1, 2, 7)
    assert report.rejected_for == {"refused": 1, "not_storable": 1}
    assert report.trouble is None
    assert await world.stored() == 5


async def test_rejects_are_in_the_order_of_the_file_with_their_reasons(world: World) -> None:
    await world.import_activities(ListedFile("!xa"), world.rejects)

    assert world.rejects.rows == [
        RejectedRow(1, "!", "not_storable", "the type 'bad' cannot be stored"),
        RejectedRow(2, "x", "refused", "is an x"),
    ]


async def test_rows_of_one_type_too_many_are_rejected_with_the_reason(world: World) -> None:
    importing = ImportActivities(world.store, world.store.imports, world.clock, MemoryActivityTypes(1))

    report = await importing(ListedFile("xa!b!"), world.rejects)

    assert report.rejected_for == {"refused": 1, "too_many_types": 2}
    assert (report.stored, report.duplicates, report.rows) == (2, 0, 5)
    assert world.rejects.rows[1:] == [
        RejectedRow(
            line,
            "!",
            "too_many_types",
            "type: 'bad' is new, and there are 1 types already: use one of these, or raise activity.max_types",
        )
        for line in (3, 5)
    ]


async def test_types_that_find_room_cost_no_row(world: World) -> None:
    importing = ImportActivities(world.store, world.store.imports, world.clock, MemoryActivityTypes(2))

    report = await importing(ListedFile("ab"), world.rejects)

    assert (report.stored, report.rejected) == (2, 0)


async def test_a_second_import_of_the_same_file_does_nothing(world: World) -> None:
    await world.import_activities(ListedFile("abxd"), world.rejects)

    report = await world.import_activities(ListedFile("abxd"), world.rejects)

    assert (report.continued_after, report.rows) == (4, 0)
    assert world.rejects.lines == [3]


async def test_a_second_import_that_is_told_so_looks_at_all_rows_again(world: World) -> None:
    await world.import_activities(ListedFile("abxd"), world.rejects)

    report = await world.import_activities(ListedFile("abxd"), world.rejects, again=True)

    assert (report.continued_after, report.stored, report.duplicates, report.rejected) == (0, 0, 3, 1)
    assert world.rejects.lines == [3]


async def test_a_file_without_rows_is_imported_at_once(world: World) -> None:
    world.rejects.rows = [RejectedRow(1, "x", "refused", "of another file")]

    report = await world.import_activities(ListedFile(""), world.rejects)

    assert (report.rows, report.trouble) == (0, None)
    assert world.rejects.lines == [1]


async def test_an_import_is_remembered_with_what_it_stored(world: World) -> None:
    await world.store.store([an_activity(2, "b")])

    report = await world.import_activities(ListedFile("abxd"), world.rejects)

    (remembered,) = await world.imports()
    assert remembered == Import(
        report.import_id, "digest of abxd", "letters.csv", "csv", AT, AT, 4, 2, ImportState.FINISHED, 20_458, 20_458
    )


async def test_an_import_that_goes_on_is_the_same_one_also_with_all_its_rows(world: World) -> None:
    first = await world.failing(at_store=2)(ListedFile("abcdef"), world.rejects)
    (cut_short,) = await world.imports()

    others = [
        await world.import_activities(ListedFile("abcdef"), world.rejects, again=again) for again in (False, True)
    ]

    (remembered,) = await world.imports()
    assert (cut_short.state, cut_short.ended_at, cut_short.stored) == (ImportState.BEGUN, None, 3)
    assert {first.import_id} == {other.import_id for other in others}
    assert (remembered.state, remembered.rows, remembered.stored) == (ImportState.FINISHED, 6, 6)


async def test_an_import_that_was_undone_is_another_one(world: World) -> None:
    first = await world.import_activities(ListedFile("abc"), world.rejects)
    world.store.imports.undo(first.import_id)

    second = await world.import_activities(ListedFile("abc"), world.rejects)

    assert (second.import_id, second.continued_after, second.rows) == (first.import_id + 1, 0, 3)
    assert [one.state for one in await world.imports()] == [ImportState.FINISHED, ImportState.UNDONE]


async def test_a_file_whose_import_is_being_undone_has_to_wait(world: World) -> None:
    first = await world.import_activities(ListedFile("abc"), world.rejects)
    await world.store.imports.begin_undo(first.import_id)

    with pytest.raises(ImportBeingUndoneError, match=f"imports undo {first.import_id}"):
        await world.import_activities(ListedFile("abc"), world.rejects)


async def test_an_import_that_is_undone_while_it_runs_stores_nothing_more(world: World) -> None:
    class Undoer(ImportWatcher):
        def handled(self, rows: int, share: float) -> None:  # noqa: ARG002 - the port's
            world.store.imports.undo(1)

    report = await world.import_activities(ListedFile("abcdef"), world.rejects, Undoer())

    assert (report.stored, report.trouble) == (3, "import 1 was undone meanwhile")
    assert await world.stored() == 3
    assert [one.state for one in await world.imports()] == [ImportState.UNDONE]


async def test_a_store_that_goes_away_cuts_the_import_short_and_the_next_one_goes_on(world: World) -> None:
    first = await world.failing(at_store=2)(ListedFile("abxdefgh"), world.rejects)
    second = await world.import_activities(ListedFile("abxdefgh"), world.rejects)

    assert (first.rows, first.trouble) == (3, "the disk is full")
    assert (second.continued_after, second.stored, second.duplicates) == (3, 5, 0)
    assert world.rejects.lines == [3]


async def test_rejects_without_a_mark_are_not_written_twice(world: World) -> None:
    first = await world.failing(at_mark=2)(ListedFile("abxxdef"), world.rejects)
    second = await world.import_activities(ListedFile("abxxdef"), world.rejects)

    assert first.trouble == "the disk is full"
    assert (second.continued_after, second.stored, second.duplicates, second.rejected) == (3, 1, 2, 1)
    assert world.rejects.lines == [3, 4]


async def test_a_file_that_breaks_is_imported_up_to_there(world: World) -> None:
    report = await world.import_activities(ListedFile("abcdef", broken_at=3), world.rejects)

    assert (report.stored, report.trouble) == (3, "the file has a hole")
    assert world.store.imports.marks == {"digest of abcdef": 3}


async def test_a_file_that_breaks_while_the_store_goes_away_is_told_as_the_store_tells_it(world: World) -> None:
    report = await world.failing(at_store=1)(ListedFile("abcdef", broken_at=3), world.rejects)

    assert (report.rows, report.trouble) == (0, "the disk is full")


async def test_a_history_that_is_away_from_the_beginning_is_an_error(world: World) -> None:
    world.store.unavailable = "away"

    with pytest.raises(HistoryUnavailableError, match="away"):
        await world.import_activities(ListedFile("abc"), world.rejects)


async def test_a_watcher_is_told_rows_and_share_after_every_chunk(world: World) -> None:
    told = []

    class Watcher(ImportWatcher):
        def handled(self, rows: int, share: float) -> None:
            told.append((rows, share))

    await world.import_activities(ListedFile("abxd", size=2), world.rejects, Watcher())

    assert told == [(2, 0.5), (4, 1.0)]


def test_rows_are_joined_and_chosen_column_by_column() -> None:
    rows = [ImportedRow(number, row, an_activity(number, row)) for number, row in enumerate("abcd", 1)]

    joined = ImportedRows.joined([ImportedRows.of(rows[:1]), ImportedRows.of([]), ImportedRows.of(rows[1:])])

    assert list(joined) == rows
    assert list(joined.chosen([3, 0])) == [rows[3], rows[0]]


@settings(deadline=None)
@given(
    st.text("abx!", max_size=40),
    st.lists(st.tuples(st.sampled_from(["at_store", "at_mark"]), st.integers(1, 6)), max_size=6),
    st.integers(1, 7),
)
async def test_however_often_it_is_cut_short_every_row_is_handled_once(
    rows: str, failures: list[tuple[str, int]], size: int
) -> None:
    world = World()

    for method, call in failures:
        failing = world.failing(
            at_store=call if method == "at_store" else None, at_mark=call if method == "at_mark" else None
        )
        await failing(ListedFile(rows, size), world.rejects)
    last = await world.import_activities(ListedFile(rows, size), world.rejects)

    assert last.trouble is None
    assert last.continued_after + last.rows == len(rows)
    assert await world.stored() == sum(row in "ab" for row in rows)
    assert world.rejects.lines == [n for n, row in enumerate(rows, 1) if row in "x!"]


@pytest.mark.parametrize(
    ("stored", "duplicates", "rejected", "is_useless"),
    [(0, 0, 2, True), (0, 0, 0, False), (1, 0, 2, False), (0, 1, 2, False), (1, 0, 0, False)],
)
def test_an_import_is_useless_when_it_had_rows_and_none_was_usable(
    stored: int, duplicates: int, rejected: int, *, is_useless: bool
) -> None:
    report = ImportReport(1, stored=stored, duplicates=duplicates, rejected_for=Counter(no=rejected))

    assert report.is_useless is is_useless
