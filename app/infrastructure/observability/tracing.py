"""Traces, on or off. Off is nothing: no wrapper around anything, and OpenTelemetry's SDK is not imported."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.application.ports.activities import ActivityInbox, ActivityQueue, ActivityStore
from app.infrastructure.settings.configuration import ConfigurationError
from app.infrastructure.settings.publishing_settings import Telemetry

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from app.adapters.outbound.sql.database import Database

INSTALL = ".venv/bin/pip install -e '.[telemetry]'"
"""From the project's own folder: an index of packages may have another one of our name."""


class Tracing:
    """The traces of a process while they are off: everything stays as it is. Leaving the block hands over the rest."""

    current: Callable[[], str | None] | None = None
    """Spells what is going on where it is called, for a worker to go on with."""

    def http(self, app: "ASGIApp") -> "ASGIApp":
        """Trace requests; goes around everything else."""
        return app

    def queue(self, queue: ActivityQueue) -> ActivityQueue:
        """Trace what the door appends."""
        return queue

    def inbox(self, inbox: ActivityInbox) -> ActivityInbox:
        """Go on, in a worker, with the traces of the door."""
        return inbox

    def store(self, store: ActivityStore, database: "Database") -> ActivityStore:  # noqa: ARG002 - for those that do
        """Trace a worker's transactions; needs the same object's `inbox`."""
        return store

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End."""


def open_tracing(settings: Telemetry, role: str) -> Tracing:
    """Make the traces of a process of this role, as the settings say.

    Raises:
        ConfigurationError: they are on and their packages are not installed.
    """
    if settings.otlp_endpoint is None:
        return Tracing()
    check_tracing(settings)
    from app.infrastructure.observability.telemetry import open_traces  # noqa: PLC0415 - an extra: not there, not paid for when off

    return open_traces(settings.otlp_endpoint, settings.sample, settings.service_name, role)


def check_tracing(settings: Telemetry) -> None:
    """See that what traces need is installed, if they are on.

    Raises:
        ConfigurationError: it is not.
    """
    if settings.otlp_endpoint is None:
        return
    try:
        import app.infrastructure.observability.telemetry  # noqa: F401, PLC0415 - as above
    except ModuleNotFoundError as error:
        missing = f"telemetry.otlp_endpoint: traces need {error.name}, which is not installed"
        how = f"run `{INSTALL}` in the project's folder, or leave the key out"
        raise ConfigurationError([f"{missing}: {how}"]) from None
