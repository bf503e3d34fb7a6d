"""The rows of the journal: the same from packed plans as from plans, and read by an index however many there are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from app.adapters.formats.stored_plan import StoredPlan, pack_plan
from app.application.ports.catalog import LogPosition
from app.application.ports.history import JournalEntry, JournalStep
from app.domain.plans import Plan, SearchablePlan, UtcOffsets, searchable
from tests.support.builders import NOW, a_change, a_long_run, a_plan
from tests.support.history_backends import SqlHistory, postgres_history, sqlite_history

OFFSETS = UtcOffsets(-3600, -3600, "2025b")
"""Not those that the rules of this process give."""


@pytest.fixture(scope="module", params=[sqlite_history, postgres_history], ids=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with request.param(tmp_path_factory.mktemp("history")) as made:
        yield made


@pytest.fixture(autouse=True)
def empty(history: SqlHistory) -> None:
    history.clear()


def an_entry(plan: Plan, offsets: UtcOffsets | None, *, told: SearchablePlan | None = None) -> JournalEntry:
    """Make an entry, whose plan is packed if it was `told`."""
    change = a_change(plan)
    known = replace(change.known, offsets=offsets)
    carried = plan if told is None else StoredPlan(pack_plan(plan), told)
    return JournalEntry(plan.key.provider, change.plan_id, change.kinds, "run-1", NOW, known, carried)


async def rows(history: SqlHistory, entry: JournalEntry) -> list[tuple[Any, ...]]:
    """Write one entry into an empty journal, and read what is there, without its number."""
    history.clear()
    await history.plan_journal().append([JournalStep(entry.provider, None, [entry], LogPosition(1, 1))])
    with history.database.engine.connect() as connection:
        return [tuple(row)[1:] for row in connection.execute(text("SELECT * FROM plan_journal"))]


@pytest.mark.parametrize("plan", [a_plan(timezone="Europe/Madrid"), a_long_run()], ids=["evening", "long run"])
@pytest.mark.parametrize("offsets", [OFFSETS, None], ids=["offsets", "none noted"])
async def test_a_plan_that_stayed_packed_makes_the_same_row(
    history: SqlHistory, plan: Plan, offsets: UtcOffsets | None
):
    told = searchable(plan, offsets)

    expected = await rows(history, an_entry(plan, offsets))

    assert await rows(history, an_entry(plan, offsets, told=told)) == expected
    assert await rows(history, an_entry(plan, offsets, told=replace(told, timezone=None, details=None))) == expected


async def test_a_page_of_the_change_feed_is_found_by_the_primary_key_wherever_it_is(history: SqlHistory):
    plans = [a_plan(number) for number in range(2000)]
    entries = [an_entry(plan, None) for plan in plans]
    await history.plan_journal().append([JournalStep("demo", None, entries, LogPosition(1, len(entries)))])
    log = history.plan_log()
    with history.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()

    plan = await plan_of(history, await log.head() - 20)

    assert any("PRIMARY KEY" in line or "plan_journal_pkey" in line for line in plan)
    assert not any("SCAN plan_journal" in line or "Seq Scan" in line or "Sort" in line for line in plan)


async def plan_of(history: SqlHistory, after: int) -> Sequence[str]:
    """Ask the database how it reads a page of the log behind this number."""
    engine, asked = history.database.engine, list[tuple[str, Any]]()

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    try:
        assert await history.plan_log().read(after, 10)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    [(statement, parameters)] = [one for one in asked if "plan_journal" in one[0]]
    explain = "EXPLAIN QUERY PLAN" if history.database.is_sqlite else "EXPLAIN"
    with engine.connect() as connection:
        return [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)]
