"""Reading the log of changes: every cut gives the same sequence, and nobody is left behind in silence."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.system import HistoryUnavailableError
from app.application.read_changes import BEGINNING, Bookmark, ReadChanges, UnknownCursorError, WatchLog, bookmark_of
from tests.fakes.plan_journal import MemoryPlanLog
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld


async def a_world(*titles: str) -> JournalWorld:
    """Build a journal in which one plan had one title after the other."""
    world = JournalWorld()
    for title in titles:
        await world.sync_with(a_plan(title=title))
    await world.journal_changes()
    return world


def titles(changes: Sequence[LoggedFact]) -> list[str]:
    return [change.fact.state.summary.title for change in changes]  # type: ignore[attr-defined]  # of a plan


class CountingLog(DomainEventLog):
    """Counts how often it is asked for its end, and can be away."""

    name = "plans"

    def __init__(self) -> None:
        self.asked = 0
        self.end = 7
        self.away = False

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        raise NotImplementedError

    async def head(self) -> int:
        self.asked += 1
        if self.away:
            raise HistoryUnavailableError("away")
        return self.end


async def test_an_empty_log_has_an_empty_page_that_ends_at_the_beginning() -> None:
    page = await ReadChanges(MemoryPlanLog((await a_world()).plan_journal))(BEGINNING, 10)

    assert (page.changes, page.end, page.has_more) == ([], BEGINNING, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
async def test_pages_of_any_size_give_the_whole_log_in_order(limit: int) -> None:
    read = ReadChanges(MemoryPlanLog((await a_world(*"abcd")).plan_journal))
    found, end, more = list[str](), BEGINNING, True

    while more:
        page = await read(end, limit)
        found += titles(page.changes)
        end, more = page.end, page.has_more

    assert found == list("abcd")
    assert (await read(end, limit)).changes == []


async def test_from_every_bookmark_the_rest_follows() -> None:
    read = ReadChanges(MemoryPlanLog((await a_world(*"abcd")).plan_journal))
    whole = (await read(BEGINNING, 100)).changes

    rests = [titles((await read(bookmark_of(change), 100)).changes) for change in whole]

    assert rests == [list("bcd"), list("cd"), ["d"], []]


async def test_a_bookmark_behind_the_end_is_unknown() -> None:
    read = ReadChanges(MemoryPlanLog((await a_world("a")).plan_journal))

    with pytest.raises(UnknownCursorError, match="begin again"):
        await read(Bookmark(2, "00000000"), 10)


async def test_a_bookmark_of_a_history_that_was_lost_is_unknown_even_when_the_new_one_is_longer() -> None:
    lost = JournalWorld()
    lost.clock.move(5)
    await lost.sync_with(a_plan(title="a"))
    await lost.journal_changes()
    end = (await ReadChanges(MemoryPlanLog(lost.plan_journal))(BEGINNING, 10)).end
    read = ReadChanges(MemoryPlanLog((await a_world("a", "b")).plan_journal))

    with pytest.raises(UnknownCursorError):
        await read(end, 10)


async def test_a_bookmark_is_the_same_for_ever() -> None:
    """Clients keep it: a change of how it is made would send every one of them back to the beginning."""
    change = (await ReadChanges(MemoryPlanLog((await a_world("a")).plan_journal))(BEGINNING, 1)).changes[0]

    assert change.fact.occurred_at - timedelta(minutes=1) == JournalWorld().clock.now()
    assert bookmark_of(change) == Bookmark(1, "edd8f383")


async def test_all_who_wait_are_told_by_one_look() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=0.02)

    heads = await asyncio.gather(*(watch.head() for _ in range(50)))

    assert (heads, log.asked) == ([7] * 50, 1)


async def test_each_wait_is_for_a_new_look() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=0.01)

    first = await watch.head()
    log.end = 8

    assert (first, await watch.head(), log.asked) == (7, 8, 2)


async def test_while_nobody_waits_nobody_looks() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=0.01)
    await watch.head()

    await asyncio.sleep(0.05)

    assert log.asked == 1


async def test_one_who_goes_takes_nothing_from_the_others() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=0.02)
    leaving, staying = asyncio.create_task(watch.head()), asyncio.create_task(watch.head())
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == 7
    assert leaving.cancelled()


async def test_when_the_history_is_away_all_who_wait_are_told_and_can_wait_again() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=0.01)
    log.away = True

    told = await asyncio.gather(watch.head(), watch.head(), return_exceptions=True)
    log.away = False

    assert [str(error) for error in told] == ["away", "away"]
    assert await watch.head() == 7


async def test_a_look_that_fails_when_nobody_waits_any_more_troubles_nobody() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=0.01)
    log.away = True
    waiting = asyncio.create_task(watch.head())
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.sleep(0.03)

    assert log.asked == 1


async def test_who_waits_when_the_process_is_told_to_end_is_let_go_at_once_and_so_is_who_comes_later() -> None:
    log = CountingLog()
    watch = WatchLog(log, interval=60)
    waiting = asyncio.create_task(watch.head())
    await asyncio.sleep(0)

    watch.stop()

    async with asyncio.timeout(10):
        assert await waiting is None
        assert await watch.head() is None
    assert log.asked == 0


async def test_a_look_that_is_cut_off_with_its_process_is_no_error() -> None:
    watch = WatchLog(CountingLog(), interval=60)
    waiting = asyncio.create_task(watch.head())
    await asyncio.sleep(0)

    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
