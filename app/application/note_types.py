"""Tell the doors of types that came into the history past them: by an import, or before the doors kept any."""

from dataclasses import dataclass

from app.application.ports.activities import ActivityTypes, Stats

PAGE = 1000


@dataclass(frozen=True, slots=True)
class NoteTypes:
    """Note what the figures have."""

    stats: Stats
    types: ActivityTypes

    async def __call__(self) -> int:
        """Note all types that are counted, if the doors know fewer than there are; return how many were noted.

        Raises:
            HistoryUnavailableError: nobody can tell now.
            LiveStateUnavailableError: some may have been noted; doing it again is safe.
        """
        counted = (await self.stats.ranking(0)).types
        if counted <= await self.types.size():
            return 0
        noted, after = 0, ""
        while page := await self.stats.totals(after, PAGE):
            await self.types.note([total.type for total in page])
            noted, after = noted + len(page), page[-1].type
        return noted
