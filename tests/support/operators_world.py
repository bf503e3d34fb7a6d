"""The routes of operators over a service in memory."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.operations.health_router import SearchState, catalog_figures, health_router
from app.adapters.inbound.http.operations.metric_families import Figures
from app.adapters.inbound.http.operations.metrics import RequestMetrics, metrics_router
from app.adapters.inbound.http.operations.service_figures import service_figures
from app.application.figures import (
    NOT_UNDERSTOOD,
    WEBHOOK_DELIVERIES,
    count_cut,
    count_delivered,
    count_messages,
    count_stored,
)
from app.application.ports.figures import Verification
from app.application.ports.index_file import IndexFileFacts
from app.application.ports.subscriptions import SubscriptionReader
from app.domain.feeds import Rejection, RejectionReason
from tests.fakes.index_file import MemoryIndexFile
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints
from tests.support.asgi import Sent, ask
from tests.support.builders import a_plan
from tests.support.service_world import ServiceWorld, a_process
from tests.support.webhook_world import an_endpoint


class Edge(ServiceWorld):
    """The routes of operators over a service in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = RequestMetrics()
        self.is_ready = True
        self.file = MemoryIndexFile(in_use=IndexFileFacts(self.clock.now() - timedelta(seconds=60), 10, 5000))
        search = SearchState(lambda: self.is_ready, lambda: 10, self.file)
        figures = Figures(
            partial(catalog_figures, self.catalog, search),
            partial(service_figures, self.watch, "1.2.3"),
        )
        self.api: FastAPI = create_api(
            [
                metrics_router(self.requests, figures, self.watch),
                health_router(self.catalog, self.watch, search, subscriptions=("shop", "orders")),
            ],
            "test",
        )

    async def see(self) -> None:
        await self.look()
        await self.watch.look_at_history()

    async def live(self) -> None:
        """Let everything happen of which there are figures."""
        await self.syncs.sync_with(
            a_plan(), Rejection(reason=RejectionReason.INVALID_DATE, message="no date", line=1, source="<plan/>")
        )
        await self.take_in(10)
        await self.settle()
        await self.presence.announce(self.own)
        await self.presence.announce(a_process("w", "worker", -100))
        count_stored(self.tally, 10, 0.003)
        self.tally.add(WEBHOOK_DELIVERIES.of("delivered"), 2)
        count_cut(self.tally, "slow_reader")
        count_cut(self.tally, "slow_reader")
        self.tally.add(NOT_UNDERSTOOD.of("invalid_type"), 2)
        count_messages(self.tally, "shop", "taken", 1)
        count_delivered(self.tally, "shop", "accepted", {"view": 3})
        await self.subscription_readers.note(SubscriptionReader("shop", "w", None, None, None, 4))
        await self.verifications.note(Verification(self.clock.now(), differs=True))
        for number in range(1, 5):
            await self.add_user(number, is_active=number < 4, is_deleted=number == 3)
        await self.positions.move("log", "users", 5, 3)
        await self.positions.move("webhooks", "users", 5, 1)
        await self.positions.note_failure("webhooks", "users", 2)
        await MemoryWebhookEndpoints(self.webhooks).add(an_endpoint())
        self.requests.observe_search(200, 0.0001)
        self.requests.observe("/health", "GET", 200, 0.001)
        self.requests.observe_activities("accepted", {"view": 10})
        self.requests.observe_rate_limited("ingest")
        self.requests.observe_unauthenticated()
        await self.see()

    async def get(self, path: str, *accept: str) -> Sent:
        return await ask(self.api, path, headers=tuple((b"accept", value.encode("latin-1")) for value in accept))

    async def metrics(self) -> dict[str, Any]:
        answer = await self.get("/metrics")
        assert answer.status == 200
        decoded: dict[str, Any] = json.loads(answer.body)
        return decoded

    async def samples(self) -> dict[tuple[str, ...], float]:
        text = (await self.get("/metrics", "text/plain")).body.decode()
        return {
            (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
