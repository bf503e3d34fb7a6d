"""Manage webhooks: add, find, switch, rotate, try out, send again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.application.ports.system import Clock
from app.application.ports.webhooks import (
    Replay,
    WebhookDeliveries,
    WebhookEndpoints,
    WebhookLog,
    WebhookSender,
)
from app.domain.webhook_deliveries import Answer, Message, UnknownDeliveryError
from app.domain.webhook_errors import UnknownWebhookError
from app.domain.webhook_headers import merged
from app.domain.webhooks import OVERLAP, SECRET_BYTES, Endpoint, read_names, secret_of

TEST_NAME = "webhook.test"
BY_HAND = "somebody switched it off"
"""Why an endpoint is off that did not go off by itself: figures tell them apart by it."""


@dataclass(frozen=True, slots=True)
class AddWebhook:
    """Add a webhook with a secret of its own."""

    endpoints: WebhookEndpoints
    sender: WebhookSender
    clock: Clock
    new_id: Callable[[], UUID]
    random_bytes: Callable[[int], bytes]
    """So many bytes, fit for secrets."""

    async def __call__(
        self, name: str, url: str, names: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> Endpoint:
        """Add it: from now on it is told of these names, of everything when there are none, with these headers.

        Raises:
            InvalidWebhookError: a part of it cannot be used, or the URL leads to an address that is not allowed.
            WebhookNameTakenError: there is one of that name.
            HistoryUnavailableError: as in every use case here.
        """
        endpoint = Endpoint(
            endpoint_id=self.new_id(),
            name=name,
            url=url,
            names=read_names(names),
            secrets=(secret_of(self.random_bytes(SECRET_BYTES)),),
            headers=merged((), headers or {}),
            created_at=self.clock.now(),
        )
        await self.sender.check(url)
        await self.endpoints.add(endpoint)
        return endpoint


@dataclass(frozen=True, slots=True)
class FindWebhook:
    """Find a webhook by its name."""

    endpoints: WebhookEndpoints

    async def __call__(self, name: str) -> Endpoint:
        """Find it.

        Raises:
            UnknownWebhookError: there is none.
        """
        for endpoint in await self.endpoints.all():
            if endpoint.name == name:
                return endpoint
        raise UnknownWebhookError(name)

    async def change(self, name: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Find it and change it.

        Raises:
            UnknownWebhookError: there is none, or none any more.
        """
        changed = await self.endpoints.change((await self(name)).endpoint_id, change)
        if changed is None:
            raise UnknownWebhookError(name)
        return changed


@dataclass(frozen=True, slots=True)
class SwitchWebhook:
    """Switch a webhook on or off."""

    endpoints: WebhookEndpoints
    deliveries: WebhookDeliveries
    clock: Clock

    async def on(self, name: str) -> Endpoint:
        """Switch it on, or end its pause: what is pending goes on at once, with a new schedule.

        Raises:
            UnknownWebhookError: there is none.
        """
        endpoint = await FindWebhook(self.endpoints).change(name, Endpoint.switched_on)
        await self.deliveries.hasten(endpoint.endpoint_id, self.clock.now(), afresh=True)
        return endpoint

    async def off(self, name: str) -> Endpoint:
        """Switch it off: what is pending stays so, what happens from now on it is not told.

        Raises:
            UnknownWebhookError: there is none.
        """
        return await FindWebhook(self.endpoints).change(name, lambda endpoint: endpoint.switched_off(BY_HAND))


@dataclass(frozen=True, slots=True)
class ChangeWebhookHeaders:
    """Change what a webhook sends beside our headers."""

    endpoints: WebhookEndpoints

    async def __call__(self, name: str, changes: Mapping[str, str | None]) -> Endpoint:
        """Put in and replace those that are named, and take away those of None; the others stay.

        Raises:
            UnknownWebhookError: there is none.
            InvalidWebhookError: one of them may not be sent.
        """
        return await FindWebhook(self.endpoints).change(name, lambda endpoint: endpoint.with_headers(changes))


@dataclass(frozen=True, slots=True)
class RemoveWebhook:
    """Remove a webhook."""

    endpoints: WebhookEndpoints

    async def __call__(self, name: str) -> None:
        """Remove it with what is pending for it, and its log.

        Raises:
            UnknownWebhookError: there is none, or none any more.
        """
        if not await self.endpoints.remove((await FindWebhook(self.endpoints)(name)).endpoint_id):
            raise UnknownWebhookError(name)


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret:
    """Give a webhook a new secret."""

    endpoints: WebhookEndpoints
    clock: Clock
    random_bytes: Callable[[int], bytes]

    async def __call__(self, name: str, overlap: timedelta = OVERLAP) -> Endpoint:
        """Sign with a new one; those before it sign too until the overlap ends.

        Raises:
            UnknownWebhookError: there is none.
            InvalidWebhookError: too many secrets would sign at a time.
        """
        now, secret = self.clock.now(), secret_of(self.random_bytes(SECRET_BYTES))
        return await FindWebhook(self.endpoints).change(name, lambda found: found.rotated(secret, now, overlap))


@dataclass(frozen=True, slots=True)
class TryWebhook:
    """Send a message that says nothing, at once, so that somebody can see whether a receiver works."""

    endpoints: WebhookEndpoints
    sender: WebhookSender
    clock: Clock
    new_id: Callable[[], UUID]
    render: Callable[[str, str, datetime], str]
    """Makes the body of an id, the webhook's name and an instant."""

    async def __call__(self, name: str) -> Answer:
        """Send it, also to a webhook that is off or paused; how it fares is not judged by this.

        Raises:
            UnknownWebhookError: there is none.
        """
        endpoint, now, event_id = await FindWebhook(self.endpoints)(name), self.clock.now(), str(self.new_id())
        message = Message(
            endpoint_id=endpoint.endpoint_id,
            event_id=event_id,
            name=TEST_NAME,
            subject=f"webhooks/{endpoint.endpoint_id}",
            body=self.render(event_id, name, now),
            created_at=now,
        )
        return await self.sender.send(endpoint, message)


@dataclass(frozen=True, slots=True)
class ReplayWebhook:
    """Send again what has ended."""

    endpoints: WebhookEndpoints
    log: WebhookLog
    clock: Clock

    async def __call__(self, name: str, which: Replay) -> int:
        """Make deliveries pending again, with the ids that they had, and return how many.

        Raises:
            UnknownWebhookError: there is no such webhook.
            UnknownDeliveryError: one was named, and there is none such that has ended.
        """
        endpoint = await FindWebhook(self.endpoints)(name)
        count = await self.log.replay(endpoint.endpoint_id, which, self.clock.now())
        if not count and which.delivery_id is not None:
            raise UnknownDeliveryError(which.delivery_id)
        return count
