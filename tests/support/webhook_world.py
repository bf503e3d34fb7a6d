"""Webhooks over memory adapters: what tests of publishing and delivering need."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from uuid import UUID

from app.adapters.formats.cloud_events import render_activity, render_trial
from app.adapters.inbound.use_cases.webhooks_use_cases import WebhooksUseCases
from app.application.deliver_webhooks import DeliverWebhooks
from app.application.manage_webhooks import (
    AddWebhook,
    ChangeWebhookHeaders,
    FindWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    SwitchWebhook,
    TryWebhook,
)
from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.system import Clock, HistoryUnavailableError
from app.application.ports.webhooks import LoggedDelivery, Send, WebhookSender
from app.application.tell_activities import TellActivities
from app.domain.domain_events import DomainEvent, PlanFact, plan_fact_of
from app.domain.plans import searchable
from app.domain.reconciliation import ChangeKind
from app.domain.webhook_deliveries import Answer, Message
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhook_headers import Header
from app.domain.webhooks import Endpoint, EndpointId, Secret, secret_of
from tests.fakes.activity_outbox import MemoryActivityOutbox
from tests.fakes.store import MemoryStore
from tests.fakes.tally import MemoryTally
from tests.fakes.webhook_deliveries import MemoryWebhookDeliveries, MemoryWebhookLog
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints, MemoryWebhooks
from tests.support.builders import NOW, a_plan
from tests.support.fixed_clock import FixedClock

FINE = Answer(status=204, took=0.01)
BROKEN = Answer(status=500, took=0.01, error="answered 500 Internal Server Error")
GONE = Answer(status=410, took=0.01, error="answered 410 Gone")


def a_secret(number: int = 1) -> Secret:
    return secret_of(bytes([number % 256]) * 32)


def an_endpoint(
    number: int = 1,
    *,
    name: str | None = None,
    url: str = "https://hook.example.com/in",
    names: tuple[str, ...] = (),
    at: datetime = NOW,
    secrets: tuple[Secret, ...] | None = None,
    headers: tuple[Header, ...] = (),
) -> Endpoint:
    """Build an endpoint; its number makes its id, its name and its secret."""
    return Endpoint(
        endpoint_id=UUID(int=number),
        name=f"hook-{number}" if name is None else name,
        url=url,
        names=names,
        secrets=(a_secret(number),) if secrets is None else secrets,
        headers=headers,
        created_at=at,
    )


def a_message(number: int = 1, *, to: int = 1, subject: str = "plans/1", body: str = "{}") -> Message:
    """Build a message; its number makes the id of its domain event."""
    return Message(
        endpoint_id=UUID(int=to),
        event_id=f"plan-{number}",
        name="plan.changed",
        subject=subject,
        body=body,
        created_at=NOW,
    )


def a_plan_told(number: int = 1, *kinds: str, item: str | int = "291", at: datetime = NOW) -> PlanFact:
    """Build what is told of a plan; the number makes its id."""
    named = tuple(ChangeKind(kind) for kind in kinds) or (ChangeKind.CHANGED,)
    plan = a_plan(item)
    return plan_fact_of(named)(
        event_id=f"plan-{number}",
        occurred_at=at,
        provider=plan.key.provider,
        plan_id=plan.plan_id,
        kinds=named,
        run_id="run-1",
        in_feed=True,
        is_searchable=True,
        state=searchable(plan),
    )


class ListedLog(DomainEventLog):
    """A log that a test writes."""

    def __init__(self, name: str, *facts: DomainEvent) -> None:
        self._name = name
        self.facts = list(facts)
        self.unavailable: str | None = None

    @property
    def name(self) -> str:
        return self._name

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)
        return [LoggedFact(at, fact) for at, fact in enumerate(self.facts, 1) if at > after][:limit]

    async def head(self) -> int:
        return len(self.facts)


class ScriptedSender(WebhookSender):
    """Answers as a test says: per attempt what stands in `answers`, then `always`. Notes what it was to send."""

    def __init__(self) -> None:
        self.answers: list[Answer | Exception] = []
        self.always: Answer = FINE
        self.by_event: dict[str, Answer] = {}
        self.sent: list[Message] = []
        self.private: set[str] = set()
        self.takes = 0.0
        self.waits_for: dict[EndpointId, asyncio.Event] = {}
        """What must happen before an endpoint answers."""
        self.at_once = 0
        self.most_at_once = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self.kept_for: list[set[EndpointId]] = []
        """Who was sent to over connections that were kept, each time that they were."""
        self.left_behind = 0
        """Attempts that were under way when their connections ended."""

    async def check(self, url: str) -> None:
        if url in self.private:
            raise InvalidWebhookError("url", "it is private")

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send]:
        sent_to: set[EndpointId] = set()
        under_way = 0
        self.kept_for.append(sent_to)

        async def send(endpoint: Endpoint, message: Message) -> Answer:
            nonlocal under_way
            sent_to.add(endpoint.endpoint_id)
            place = under_way = under_way + 1
            try:
                return await self.send(endpoint, message)
            finally:
                for _ in range(place):  # as one who closes something, for some longer than for others
                    await asyncio.sleep(0)
                under_way -= 1

        try:
            yield send
        finally:
            self.left_behind += under_way

    async def send(self, endpoint: Endpoint, message: Message) -> Answer:
        self.sent.append(message)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.takes)
        if endpoint.endpoint_id in self.waits_for:
            await self.waits_for[endpoint.endpoint_id].wait()
        self.meanwhile()
        self.at_once -= 1
        answer = self.by_event.get(message.event_id) or (self.answers.pop(0) if self.answers else self.always)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def ids(self) -> list[str]:
        return [message.event_id for message in self.sent]


@dataclass
class WebhookWorld:
    """Endpoints, their deliveries and whoever delivers, with a clock and without chance."""

    store: MemoryWebhooks = field(default_factory=MemoryWebhooks)
    clock: FixedClock = field(default_factory=FixedClock)
    sender: ScriptedSender = field(default_factory=ScriptedSender)
    disable_after: timedelta = timedelta(days=5)
    kept_in: type[MemoryWebhookEndpoints] = MemoryWebhookEndpoints
    switched_off: list[Endpoint] = field(default_factory=list)
    turned: list[bool] = field(default_factory=list)
    """Whether an endpoint was failing then, at each turn."""
    max_pending: int = 1000
    skipping: list[Endpoint] = field(default_factory=list)
    bugs: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers, self._ids, self._secrets = count(1), count(1), count(1)
        self.endpoints = self.kept_in(self.store)
        self.deliveries = MemoryWebhookDeliveries(self.store)
        self.log = MemoryWebhookLog(self.store)
        self.tally = MemoryTally(MemoryStore())
        self.outbox = MemoryActivityOutbox(self.store)
        self.tell_activities = TellActivities(
            outbox=self.outbox,
            endpoints=self.endpoints,
            log=self.log,
            clock=self.clock,
            render=partial(render_activity, source="/marquee"),
            max_pending=self.max_pending,
            on_skipping=self.skipping.append,
        )
        self.deliver = DeliverWebhooks(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            sender=self.sender,
            clock=self.clock,
            chance=lambda: 0.5,
            disable_after=self.disable_after,
            tally=self.tally,
            on_switched_off=self.switched_off.append,
            on_turned=lambda endpoint: self.turned.append(endpoint.is_failing),
            on_bug=self.bugs.append,
        )

    def use_cases(self, sender: WebhookSender, clock: Clock) -> WebhooksUseCases:
        """Make what both edges work on; ids and secrets are counted, and tried out is by a clock of its own."""
        new_id, random_bytes = lambda: UUID(int=next(self._ids)), lambda length: bytes([next(self._secrets)]) * length
        return WebhooksUseCases(
            endpoints=self.endpoints,
            log=self.log,
            clock=self.clock,
            add=AddWebhook(self.endpoints, sender, self.clock, new_id, random_bytes),
            find=FindWebhook(self.endpoints),
            switch=SwitchWebhook(self.endpoints, self.deliveries, self.clock),
            change_headers=ChangeWebhookHeaders(self.endpoints),
            remove=RemoveWebhook(self.endpoints),
            rotate=RotateWebhookSecret(self.endpoints, self.clock, random_bytes),
            try_out=TryWebhook(self.endpoints, sender, clock, new_id, partial(render_trial, source="/marquee")),
            replay=ReplayWebhook(self.endpoints, self.log, self.clock),
        )

    async def with_endpoint(self, number: int = 1) -> Endpoint:
        endpoint = an_endpoint(number)
        await self.endpoints.add(endpoint)
        return endpoint

    async def endpoint(self, number: int = 1) -> Endpoint:
        found = await self.endpoints.find(UUID(int=number))
        assert found
        return found

    async def tell(self, *subjects: str, to: int = 1) -> None:
        """Put a message of each subject on its way, numbered on."""
        await self.deliveries.add([a_message(next(self._numbers), to=to, subject=subject) for subject in subjects])

    async def logged(self, number: int = 1) -> list[LoggedDelivery]:
        """List all deliveries, oldest first."""
        return list(reversed(await self.log.newest(UUID(int=number), 10_000)))

    async def states(self, number: int = 1) -> list[str]:
        return [str(row.delivery.state) for row in await self.logged(number)]

    async def round(self) -> int:
        """Deliver to all to whom something may be sent; return the number of attempts."""
        return sum([await self.deliver(endpoint_id) for endpoint_id in await self.deliver.ready()])
