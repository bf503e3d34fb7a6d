"""Take plans out as the journal knows them: each once, in its newest state."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from app.application.ports.catalog import CatalogPlan
from app.application.ports.history import PlanJournal
from app.domain.activity_spans import ActivitySpan


@dataclass(frozen=True, slots=True)
class ExportPlans:
    """Hand out the plans that start within a span, those that left their feed too, provider by provider."""

    journal: PlanJournal

    async def __call__(self, span: ActivitySpan) -> AsyncGenerator[Sequence[CatalogPlan], None]:
        """Hand them out in batches, which may be empty.

        Raises:
            HistoryUnavailableError: nobody can tell any more.
        """
        for provider in sorted(await self.journal.sizes()):
            async for batch in self.journal.latest(provider):
                yield [found for found in batch if span.holds(found.instants[0])]
