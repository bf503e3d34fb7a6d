"""Rules of the domain that a caller broke. Each says what was given and what would be right."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID


class DomainError(Exception):
    """The root of all broken rules; the edge turns it into a 4xx, a sync into a Rejection."""


class PlanEndsBeforeItStartsError(DomainError):
    """A plan's end lies before its start."""

    def __init__(self, starts: datetime, ends: datetime) -> None:
        """Keep both times for the message."""
        super().__init__(f"the plan ends at {ends.isoformat()}, before it starts at {starts.isoformat()}")


class WindowEndsBeforeItStartsError(DomainError):
    """A TimeWindow's end lies before its start."""

    def __init__(self, starts_at: datetime, ends_at: datetime) -> None:
        """Keep both instants for the message."""
        super().__init__(
            f"starts_at ({starts_at.isoformat()}) is after ends_at ({ends_at.isoformat()}): "
            "give a window that ends at or after its start"
        )


class ListEndsBeforeItStartsError(DomainError):
    """The window of a list ends before it begins."""

    def __init__(self, begins: date, ends: date) -> None:
        """Keep both bounds for the message."""
        super().__init__(
            f"from ({begins.isoformat()}) is after to ({ends.isoformat()}): the window has to end at its start or later"
        )


class UnknownProviderError(DomainError):
    """No provider of that name is configured."""

    def __init__(self, name: str, configured: Iterable[str]) -> None:
        """Name the ones that are."""
        names = ", ".join(configured) or "none"
        super().__init__(f"no provider is called {name!r}; configured: {names}")


class UnknownPlanError(DomainError):
    """No plan with that id was ever seen."""

    def __init__(self, plan_id: UUID) -> None:
        """Name the plan."""
        super().__init__(f"no plan has the id {plan_id}")


class NoSchedulerError(DomainError):
    """Nobody is there who could sync."""

    def __init__(self) -> None:
        """Say how to change that."""
        super().__init__("no scheduler is running that could sync; start one: `marquee run` or `marquee scheduler`")
