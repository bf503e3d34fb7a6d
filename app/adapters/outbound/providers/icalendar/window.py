"""Which occurrences of a recurrence are told."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """From one instant (aware, UTC) until before another."""

    begins_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant is in it."""
        return self.begins_at <= at < self.ends_at

    def touches(self, starts_at: datetime, ends_at: datetime | None) -> bool:
        """Tell whether something is going on in it; what ends as it begins is over."""
        return self.holds(starts_at) or (ends_at is not None and starts_at < self.begins_at < ends_at)


BEHIND = timedelta(days=1)
"""How long what is over is still told."""
