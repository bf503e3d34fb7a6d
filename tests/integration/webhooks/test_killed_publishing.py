"""Domain events are told whatever happens to whoever tells them and to whoever is told."""

import asyncio
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.adapters.formats.cloud_events import render_envelope
from app.adapters.outbound.redis.domain_event_stream import STREAM
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.domain_event_logs import SqlUserLog
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.users import SqlUsers
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.domain.domain_events import DomainEvent
from tests.processes.publish import SOURCE
from tests.support.access_builders import a_user, created, updated
from tests.support.feed_server import Answer, answer
from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from tests.support.webhook_receiver import Received, Receiver
from tests.support.webhook_world import a_secret, an_endpoint

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]

USERS, CHANGES, KILLS = 12, 5, 6


class SteadyReceiver(Receiver):
    """One that comes back at the address at which it was."""

    def __init__(self, at: socket.socket) -> None:
        self._at = at
        self._refused: set[str] = set()
        super().__init__(choose=self._sometimes)

    def _sometimes(self, message: Received) -> Answer:
        """Refuse every seventh message once."""
        if len(self.diary.received) % 7 or message.message_id in self._refused:
            return answer(204)
        self._refused.add(message.message_id)
        return answer(500)

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, sock=self._at)


@contextmanager
def worker(data: Path, redis: RedisServer, begun: float) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.processes.publish", str(data), redis.url, str(begun)]
    file = data / "worker.log"
    with file.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until(lambda: b"runs" in file.read_bytes())
            yield process
        finally:
            process.kill()


async def happen(database: Database, first: int) -> None:
    """Let users be created, and each of them changed some times."""
    users = SqlUsers(database)
    known = [a_user(number) for number in range(first, first + USERS)]
    for user in known:
        await users.add(user, created(user))
    for step in range(CHANGES):
        for place, before in enumerate(known):
            after = before.changed(before.updated_at, full_name=f"Name {step}")
            await users.save(before, after, updated(before, after))
            known[place] = after


async def everything_told(database: Database) -> list[DomainEvent]:
    return [logged.fact for logged in await SqlUserLog(database).read(0, 10_000)]


async def test_nothing_is_lost_when_the_sink_is_down_and_the_publisher_is_killed(tmp_path: Path) -> None:
    begun, chance = time.time(), random.Random(3)
    address = socket.socket()
    address.bind(("127.0.0.1", 0))  # nobody else gets it; as long as nobody listens, connections are refused
    database = open_database("embedded", tmp_path, timeout=5)
    await migrate(database)
    endpoint = an_endpoint(url=f"http://127.0.0.1:{address.getsockname()[1]}/in", names=("user.*",))
    await SqlWebhookEndpoints(database).add(replace(endpoint, secrets=(a_secret(5),)))

    with RedisServer() as redis:
        for kill in range(KILLS // 2):  # the sink is down
            with worker(tmp_path, redis, begun) as process:
                await happen(database, 1 + kill * USERS)
                await asyncio.sleep(0.5 + chance.random())
                process.send_signal(signal.SIGKILL)
        backlog = await SqlWebhookLog(database).backlog(endpoint.endpoint_id)
        assert (backlog.pending > 0, backlog.given_up) == (True, 0), (tmp_path / "worker.log").read_text()
        with SteadyReceiver(address) as sink:
            for _ in range(KILLS // 2):
                with worker(tmp_path, redis, begun) as process:
                    await asyncio.sleep(1 + chance.random())
                    process.send_signal(signal.SIGKILL)
            facts = await everything_told(database)
            with worker(tmp_path, redis, begun):
                await asyncio.to_thread(until, lambda: len(set(sink.diary.ids)) >= len(facts), 60)
        with redis.client() as client:
            entries = [fields for _, fields in client.xrange(STREAM)]
    await database.aclose()

    assert len(facts) == KILLS // 2 * USERS * (1 + CHANGES)
    by_id = {fact.event_id: fact for fact in facts}
    assert set(sink.diary.ids) == set(by_id)
    for one in sink.diary.received:
        assert one.body == render_envelope(by_id[one.message_id], SOURCE)
        assert one.is_signed_with(a_secret(5).text)
    in_order: dict[str, list[str]] = {}
    for fact in facts:
        in_order.setdefault(fact.subject, []).append(fact.event_id)
    assert sink.diary.by_subject() == in_order
    seen = list(dict.fromkeys(fields[b"id"].decode() for fields in entries))
    assert seen == [fact.event_id for fact in facts]
    assert msgspec.json.decode(entries[0][b"body"]) == msgspec.json.decode(render_envelope(facts[0], SOURCE))
