"""The ports of webhooks: who they are, what is on its way to them, and how it is sent.

All methods of the stores raise HistoryUnavailableError when the database does not serve.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.activities import Activity
from app.domain.webhook_deliveries import Answer, Delivery, Message
from app.domain.webhooks import Endpoint, EndpointId

MOST_NOTED = 100_000
"""Activities that wait to be put on their way."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """An attempt that was made, and the delivery as it is after it."""

    delivery: Delivery
    answer: Answer
    at: datetime
    """When the attempt began."""


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """A delivery and its last attempt, if there was one."""

    delivery: Delivery
    last: Answer | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries of an endpoint wait, and how many were given up and are kept still."""

    pending: int
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Which ended deliveries are to be sent again: one; or all since an instant; or all that were given up."""

    delivery_id: int | None = None
    since: datetime | None = None


class WebhookEndpoints(Protocol):
    """Where webhooks are kept, each under a name of its own."""

    @abstractmethod
    async def add(self, endpoint: Endpoint) -> None:
        """Add one.

        Raises:
            WebhookNameTakenError: there is one of that name.
        """

    @abstractmethod
    async def all(self) -> Sequence[Endpoint]:
        """List all by name, also those that are off."""

    @abstractmethod
    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        """Find one."""

    @abstractmethod
    async def change(self, endpoint_id: EndpointId, change: Callable[[Endpoint], Endpoint]) -> Endpoint | None:
        """Put what `change` makes of one in its place, and return it; None when there is none.

        Nobody else changes it meanwhile. `change` may be called in another thread and keeps id and name.
        """

    @abstractmethod
    async def remove(self, endpoint_id: EndpointId) -> bool:
        """Remove one with all its deliveries; False when there is none."""


@dataclass(frozen=True, slots=True)
class NotedActivity:
    """An activity that some webhook asked for when it was stored."""

    position: int
    """Grows, with gaps; one with a smaller position may become visible later."""
    activity: Activity


class ActivityOutbox(Protocol):
    """Activities that are to be told: noted in the transaction that stored them, each once.

    Noted are those that a webhook that is on asks for at that moment, unless an import stored them. While
    MOST_NOTED wait, no more are noted, and webhooks that asked for them count them as skipped.
    """

    @abstractmethod
    async def first(self, limit: int) -> Sequence[NotedActivity]:
        """Read the first `limit`, in their order: that in which each transaction got them."""

    @abstractmethod
    async def tell(self, messages: Mapping[int, Sequence[Message]]) -> None:
        """Forget the notes at some positions and add what is to be told of each, as WebhookDeliveries does.

        All or nothing. Of a note that is gone meanwhile nothing is added: somebody has told it, or its activity was
        taken out.
        """


class WebhookStates(Protocol):
    """How endpoints are, for who only counts them: without their secrets."""

    @abstractmethod
    async def counts(self) -> Mapping[str | None, int]:
        """Count endpoints by why they are off; under None those that are on."""


class WebhookDeliveries(Protocol):
    """What is on its way. Of one endpoint and subject one delivery at a time is up: the earliest that has not ended."""

    @abstractmethod
    async def add(self, messages: Sequence[Message]) -> int:
        """Add messages in their order, and return how many were new.

        One that the endpoint was ever to be told (same `event_id`) is not added again, nor one for an endpoint that is
        not there any more.
        """

    @abstractmethod
    async def ready(self, now: datetime) -> Sequence[EndpointId]:
        """Say to which endpoints something may be sent: those that are on and not paused, and have something due."""

    @abstractmethod
    async def due(self, endpoint_id: EndpointId, now: datetime, limit: int) -> Sequence[Delivery]:
        """Read up to `limit` that are up and due, of different subjects, those that are due for longest first.

        Costs no more when many have ended or many wait.
        """

    @abstractmethod
    async def settle(self, endpoint_id: EndpointId, attempted: Sequence[Attempted], now: datetime) -> None:
        """Write down attempts and what became of their deliveries, all or nothing.

        The next of the subject of one that ended is due `now`. What has ended meanwhile by another hand stays so; what
        is not of this endpoint, or not any more, is passed over.
        """

    @abstractmethod
    async def hasten(
        self, endpoint_id: EndpointId, now: datetime, *, only: Collection[int] | None = None, afresh: bool = False
    ) -> None:
        """Make all that are up and wait for another attempt due `now`, or those of `only`.

        `afresh` begins their schedule anew.
        """

    @abstractmethod
    async def clamp(self, now: datetime) -> int:
        """Undo what a clock that was ahead has put off, and return how many deliveries are due `now` for it.

        No delivery waits for longer than its schedule has it, no endpoint is paused by a failure that is yet to come.
        """


class WebhookLog(Protocol):
    """What became of deliveries; those that ended are kept for a while."""

    @abstractmethod
    async def newest(self, endpoint_id: EndpointId, limit: int) -> Sequence[LoggedDelivery]:
        """List the newest `limit` of an endpoint, newest first."""

    @abstractmethod
    async def backlog(self, endpoint_id: EndpointId) -> Backlog:
        """Count."""

    @abstractmethod
    async def replay(self, endpoint_id: EndpointId, which: Replay, now: datetime) -> int:
        """Make deliveries that have ended pending again, with a new schedule, and return how many.

        They keep their places: what follows them in their subjects and waits still waits for them.
        """

    @abstractmethod
    async def prune(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` deliveries that ended before an instant, with their attempts; return how many."""


Send = Callable[[Endpoint, Message], Awaitable[Answer]]
"""What makes one attempt, as `WebhookSender.send` does."""


class WebhookSender(Protocol):
    """Sends messages, signed."""

    @abstractmethod
    async def check(self, url: str) -> None:
        """See whether a URL may be sent to; a host that cannot be found now may be found later, so it may.

        Raises:
            InvalidWebhookError: it leads to an address that is not allowed.
        """

    @abstractmethod
    async def send(self, endpoint: Endpoint, message: Message) -> Answer:
        """Make one attempt, within the time that the configuration gives. Never raises for what a receiver does."""

    @abstractmethod
    def sending(self) -> AbstractAsyncContextManager[Send]:
        """Make attempts over connections that are kept from one to the next, until the context ends.

        There are never more of them than attempts at a time. All attempts must have ended before the context does.
        """
