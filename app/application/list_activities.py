"""Look at single activities, the newest first."""

from dataclasses import dataclass
from uuid import UUID

from app.application.ports.activity_archive import ActivityArchive, ActivityPosition, FoundActivities, WantedActivities
from app.domain.activities import Activity

MOST_LISTED = 1_000
"""Of a page."""
_SMALLEST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Some activities, newest first, and where the next page begins; None when there is none."""

    activities: list[Activity]
    next: ActivityPosition | None


@dataclass(frozen=True, slots=True)
class ListActivities:
    """List activities a page at a time. A page looks back only so far: it may be short, or empty, and go on."""

    archive: ActivityArchive

    async def __call__(self, wanted: WantedActivities, limit: int) -> ActivityPage:
        """List the newest `limit` of those wanted.

        Raises:
            HistoryUnavailableError: nobody can tell now.
        """
        found = await self.archive.newest(wanted, limit + 1)
        page = [*found.activities[:limit]]
        if len(found.activities) > limit:
            return ActivityPage(page, position_of(page[-1]))
        return ActivityPage(page, _further(found))


def position_of(activity: Activity) -> ActivityPosition:
    """Say where an activity stands."""
    return ActivityPosition(activity.occurred_at, activity.activity_id)


def _further(found: FoundActivities) -> ActivityPosition | None:
    """Begin where the look ended: before everything that occurred in that instant."""
    return None if found.searched_from is None else ActivityPosition(found.searched_from, _SMALLEST)
