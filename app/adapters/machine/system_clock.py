"""The machine's clock: what is taken where nobody brings another one."""

from datetime import UTC, datetime

from app.application.ports.system import Clock


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)


SYSTEM_CLOCK = SystemClock()
