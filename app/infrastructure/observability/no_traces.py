"""Traces while they are off, which is nothing: no wrapper around anything, and no SDK of OpenTelemetry is imported."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from app.application.ports.activities import ActivityInbox, ActivityQueue, ActivityStore

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from app.adapters.outbound.sql.database import Database


class Tracing:
    """The traces of a process while they are off: everything stays as it is. Leaving the block hands over the rest."""

    current: Callable[[], str | None] | None = None
    """Spells what is going on where it is called, for a worker to go on with."""

    chooses: Callable[[bytes | None], bool] | None = None
    """Chooses, by the field `traceparent`, the requests that are traced and do not pass what `http` makes."""

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

    async def __aexit__(self, *error: object) -> None:
        """End."""
