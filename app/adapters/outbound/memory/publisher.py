"""A publisher that remembers, for tests and for programs that embed Marquee."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.application.ports.publishing import DomainEventPublisher, PublisherUnavailableError
from app.domain.domain_events import DomainEvent


@dataclass(slots=True, eq=False)
class MemoryPublisher(DomainEventPublisher):
    """Keeps what it is told, in order, until somebody clears it."""

    name: str = "memory"
    _told: list[DomainEvent] = field(default_factory=list, init=False)
    _is_enabled: bool = field(default=True, init=False)

    async def publish(self, facts: Sequence[DomainEvent]) -> None:
        """Remember them, unless disabled."""
        if not self._is_enabled:
            raise PublisherUnavailableError("the publisher is disabled")
        self._told += facts

    def get(self) -> Sequence[DomainEvent]:
        """Say what was told since the last `clear`."""
        return tuple(self._told)

    def clear(self) -> None:
        """Forget it."""
        self._told.clear()

    def disable(self) -> None:
        """Take nothing any more: it is told later."""
        self._is_enabled = False

    def enable(self) -> None:
        """Take it again."""
        self._is_enabled = True
