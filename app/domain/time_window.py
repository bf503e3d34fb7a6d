"""TimeWindow: a span somebody asks about."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.errors import WindowEndsBeforeItStartsError


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A span between two instants (aware), both included; a bound that is None is open (ADR 0006)."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a window that ends before it starts.

        Raises:
            WindowEndsBeforeItStartsError: nothing could ever be inside.
        """
        if self.starts_at is not None and self.ends_at is not None and self.starts_at > self.ends_at:
            raise WindowEndsBeforeItStartsError(self.starts_at, self.ends_at)

    def holds(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Tell whether a plan from `starts_at` to `ends_at` lies wholly inside (containment, ADR 0006)."""
        return (self.starts_at is None or self.starts_at <= starts_at) and (
            self.ends_at is None or ends_at <= self.ends_at
        )
