"""How much of bodies the door holds at a time: silence, gzip and slow storing fill no memory; small posts get by."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from app.adapters.inbound.http.connection.connection_errors import ClientGoneError, TooManyBodiesError
from app.adapters.inbound.http.connection.request_body import FREE, MOST_IN_HAND, BodyMemory, read_json_body
from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_door import BATCH, EVENTS, Door, IngestLimits
from app.application.record_activities import RecordActivities
from app.domain.activities import ActivityRules
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import LIMITS, VIEW
from tests.support.remembering_queue import RememberingQueue

KB = 1024
ROOM = 400 * KB
JSON = {b"content-type": b"application/json"}
GZIP = JSON | {b"content-encoding": b"gzip"}
LARGE = b"[" + b" " * 120 * KB + VIEW + b"]"


class SlowQueue(RememberingQueue):
    """A queue that takes nothing in before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()
        self.may.set()

    async def append(self, *args: Any, **kwargs: Any) -> Any:
        await self.may.wait()
        return await super().append(*args, **kwargs)


class Client:
    """Somebody who posts bit by bit."""

    def __init__(self, door: Door, headers: dict[bytes, bytes] | None = None, path: str = EVENTS) -> None:
        self._coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answering = asyncio.create_task(door.answer(path, headers or JSON, self._coming.get))

    async def send(self, body: bytes, *, more: bool = True) -> None:
        self._coming.put_nowait({"type": "http.request", "body": body, "more_body": more})
        for _ in range(5):
            await asyncio.sleep(0)

    def leave(self) -> None:
        self._coming.put_nowait({"type": "http.disconnect"})

    async def answer(self) -> Reply:
        async with asyncio.timeout(5):
            try:
                return await self.answering
            except ClientGoneError:
                raise
            except Exception as error:  # noqa: BLE001 - as IngestApp does
                return ERRORS.reply(error)


class Site:
    def __init__(self) -> None:
        self.queue = SlowQueue()
        record = RecordActivities(self.queue, FixedClock(), ActivityRules(), lambda: UUID(int=7))
        self.door = Door(record, IngestLimits(LIMITS.array, LIMITS.batch, LIMITS.body, ROOM))

    def client(self, headers: dict[bytes, bytes] | None = None, path: str = EVENTS) -> Client:
        return Client(self.door, headers, path)

    async def post(self, body: bytes, headers: dict[bytes, bytes] | None = None) -> tuple[int, str]:
        client = self.client(headers)
        await client.send(body, more=False)
        return _told(await client.answer())

    @asynccontextmanager
    async def full(self) -> AsyncIterator[list[Client]]:
        """Let clients fall silent until there is no room; they leave at the end of the block."""
        clients = [self.client() for _ in range(3)]
        for client in clients:
            await client.send(LARGE[:-1])
        try:
            yield clients
        finally:
            for client in clients:
                client.leave()
            await asyncio.gather(*(client.answering for client in clients), return_exceptions=True)


def _told(reply: Reply) -> tuple[int, str]:
    return reply.status, json.loads(reply.body).get("error", {}).get("code", "")


@pytest.fixture
async def site() -> Site:
    return Site()


async def test_beyond_what_may_be_held_a_body_is_refused_for_now(site: Site) -> None:
    async with site.full():
        client = site.client()
        await client.send(LARGE, more=False)
        reply = await client.answer()

    assert _told(reply) == (503, "too_many_bodies")
    assert dict(reply.fields)[b"retry-after"] == b"5"
    assert "409,600 bytes" in json.loads(reply.body)["error"]["message"]
    assert site.queue.appended == []


async def test_it_is_refused_as_soon_as_there_is_no_room_for_more_of_it(site: Site) -> None:
    async with site.full():
        client = site.client()
        await client.send(LARGE)  # and it is not over

        assert _told(await client.answer()) == (503, "too_many_bodies")


async def test_small_ones_get_through_in_any_case(site: Site) -> None:
    async with site.full():
        assert await site.post(VIEW) == (202, "")
        assert await site.post(gzip.compress(VIEW), GZIP) == (202, "")
        slow = site.client()
        for at in range(len(VIEW)):
            await slow.send(VIEW[at : at + 1])
        await slow.send(b" " * (FREE - len(VIEW)), more=False)
        assert _told(await slow.answer()) == (202, "")


async def test_what_is_small_only_while_it_is_packed_is_not(site: Site) -> None:
    async with site.full():
        assert await site.post(gzip.compress(LARGE), GZIP) == (503, "too_many_bodies")
    assert await site.post(gzip.compress(LARGE), GZIP) == (202, "")


async def test_there_is_room_again_once_somebody_has_left(site: Site) -> None:
    for _ in range(3):
        async with site.full():
            assert await site.post(LARGE) == (503, "too_many_bodies")
        for _ in range(5):
            assert await site.post(LARGE) == (202, "")


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (JSON, LARGE[:-1], "invalid_json"),
        (JSON | {b"content-length": b"5"}, LARGE, "invalid_content_length"),
        (JSON, b" " * (LIMITS.body + 1), "too_large"),
        (GZIP, LARGE, "invalid_gzip"),
        (GZIP, gzip.compress(LARGE, 0)[:-9], "invalid_gzip"),
        (GZIP, gzip.compress(b" " * (LIMITS.body + 1)), "too_large"),
        (JSON, LARGE + b"]", "invalid_json"),
    ],
)
async def test_nothing_is_held_of_what_is_refused(
    site: Site, headers: dict[bytes, bytes], body: bytes, expected: str
) -> None:
    for _ in range(20):
        assert (await site.post(body, headers))[1] == expected
    assert await site.post(LARGE) == (202, "")


async def test_a_body_is_held_until_it_is_stored(site: Site) -> None:
    site.queue.may.clear()
    waiting = [site.client() for _ in range(3)]
    for client in waiting:
        await client.send(LARGE, more=False)

    assert await site.post(LARGE) == (503, "too_many_bodies")
    site.queue.may.set()
    assert [_told(await client.answer()) for client in waiting] == [(202, "")] * 3
    assert await site.post(LARGE) == (202, "")


async def test_a_request_that_is_broken_off_holds_nothing(site: Site) -> None:
    async with site.full() as clients:
        for client in clients:
            client.answering.cancel()
        await asyncio.gather(*(client.answering for client in clients), return_exceptions=True)

        assert await site.post(LARGE) == (202, "")


async def test_batches_share_the_room(site: Site) -> None:
    async with site.full():
        batch = site.client(path=BATCH)
        await batch.send(b'{"events":' + LARGE + b"}", more=False)
        assert _told(await batch.answer()) == (503, "too_many_bodies")


async def test_what_comes_in_pieces_counts_but_for_its_beginning() -> None:
    bodies = BodyMemory(100 * KB)
    client = iter([FREE, 50 * KB, 50 * KB, 1])

    async def receive() -> dict[str, Any]:
        size = next(client, None)
        if size is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b" " * size, "more_body": True}

    hold = bodies.hold()
    with pytest.raises(TooManyBodiesError):
        await read_json_body(JSON, receive, 1000 * KB, hold)
    assert bodies.held == 100 * KB
    hold.let_go()
    hold.let_go()
    assert bodies.held == 0
    with pytest.raises(ClientGoneError):
        await read_json_body(JSON, receive, 1000 * KB)


def test_a_process_holds_256_mib() -> None:
    assert IngestLimits(1, 1, 1).in_hand == MOST_IN_HAND == 256 * KB * KB
