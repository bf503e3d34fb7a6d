"""Plans are taken out as the journal knows them."""

from datetime import UTC, datetime

from app.application.export_plans import ExportPlans
from app.application.ports.catalog import LogPosition
from app.application.ports.history import JournalEntry, JournalStep
from app.domain.activity_spans import ActivitySpan
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.support.builders import NOW, a_change, a_plan


async def test_each_plan_that_starts_within_the_span_is_handed_out_once() -> None:
    journal = MemoryPlanJournal()
    plans = [a_plan("1", provider="demo"), a_plan("2", provider="demo"), a_plan("1", provider="other")]
    for provider in ("demo", "other"):
        changes = [(plan, a_change(plan)) for plan in plans if plan.key.provider == provider]
        entries = [
            JournalEntry(provider, change.plan_id, change.kinds, "run", NOW, change.known, plan)
            for plan, change in changes
        ]
        await journal.append([JournalStep(provider, None, entries, LogPosition(1, len(entries)))])
    export = ExportPlans(journal)

    everything = [found.plan.key async for batch in export(ActivitySpan()) for found in batch]
    none = [found async for batch in export(ActivitySpan(ends=datetime(1999, 1, 1, tzinfo=UTC))) for found in batch]

    assert sorted(everything) == sorted(plan.key for plan in plans)
    assert none == []
