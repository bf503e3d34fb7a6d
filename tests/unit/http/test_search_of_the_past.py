"""Who is asked about the past, and that its answers take neither the event loop nor the memory of this process."""

import asyncio
import json
import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams
from starlette.types import Message, Receive, Scope, Send

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.as_of_answers import AsOfAnswers, PackedAnswer
from app.adapters.inbound.http.search.plan_json import render_plan
from app.adapters.inbound.http.search.search_app import PIECE, SearchApp
from app.adapters.inbound.http.search.search_errors import TooManyPastSearchesError
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.inbound.http.search.search_window import LONGEST_QUERY
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.ports.history import PastState, PlanHistory
from app.application.ports.system import HistoryUnavailableError
from app.application.read_history import SearchPast, WindowTooWideError
from app.domain.access import Area
from app.domain.plans import PlanId, PlanSummary
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.asgi import ask

NOW = datetime(2021, 6, 1, tzinfo=UTC)
ANY = TimeWindow()
SOON = 0.05
"""Seconds of waiting where it is to end."""


class Door:
    """What SearchApp hands on to, and what it answers itself; other parameters do not matter."""

    def __init__(self, lenient_areas: Collection[Area] = frozenset({Area.SEARCH})) -> None:
        self.handed_on: list[bytes] = []
        self.answered: list[int] = []
        index = LiveIndex(RENDERING)
        index.mark_ready()
        self.app = SearchApp(
            self,
            index,
            ZoneInfo("UTC"),
            lambda status, _: self.answered.append(status),
            errors=ERRORS,
            lenient_areas=lenient_areas,
        )

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.handed_on.append(scope["query_string"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class GatedHistory(PlanHistory):
    """Finds as many plans as it is told to; when it is gated, not before the gate opens."""

    def __init__(self, number: int = 1, *, gated: bool = False) -> None:
        self.gate = asyncio.Event()
        if not gated:
            self.gate.set()
        self.found = some_plans(number)
        self.asked = self.most = self.busy = 0
        self.unavailable = False

    async def states(self, plan_id: PlanId, limit: int) -> Sequence[PastState]:
        raise NotImplementedError

    async def search(self, window: TimeWindow, as_of: datetime, limit: int) -> Sequence[PlanSummary]:  # noqa: ARG002 - the port's
        self.asked += 1
        self.busy += 1
        self.most = max(self.most, self.busy)
        await self.gate.wait()
        self.busy -= 1
        if self.unavailable:
            raise HistoryUnavailableError("away")
        return self.found[:limit]


class Reader:
    """A client that takes a message of an answer when it is told to."""

    def __init__(self, answer: Any) -> None:
        self.taken: list[Message] = []
        self._messages: asyncio.Queue[Message] = asyncio.Queue(1)
        self.sending = asyncio.create_task(answer({"type": "http"}, None, self._messages.put))

    async def take(self) -> Message:
        self.taken.append(await self._messages.get())
        return self.taken[-1]

    async def read(self) -> bytes:
        while not self.taken or self.taken[-1]["type"] == "http.response.start" or self.taken[-1]["more_body"]:
            await self.take()
        await self.sending
        return b"".join(message.get("body", b"") for message in self.taken)


def some_plans(number: int) -> list[PlanSummary]:
    at = datetime(2021, 6, 1, 21)  # noqa: DTZ001 - a plan's times are local
    return [
        PlanSummary(plan_id=UUID(int=item), title=f"Ñandú {item}", starts=at, ends=at, min_price=None, max_price=None)
        for item in range(number)
    ]


async def settle() -> None:
    """Let everybody go on until nobody does, threads included."""
    await asyncio.sleep(SOON)


# who is asked


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "query",
    [
        b"x=as_of",
        b"x=as%5Fof",
        b"as_of_=1",
        b"was_of=1&x=%20",
        b"x=1%26as_of=2",
        b"as_%C3%B6f=1",
        b"As_Of=1",
        b"as_of[]=1",
        b"as%255Fof=1",
        b"as_of=" + b"x" * LONGEST_QUERY,
    ],
)
async def test_where_no_parameter_is_named_as_of_the_bare_search_answers(query: bytes, method: str) -> None:
    door = Door()

    sent = await ask(door.app, "/search", query, method=method)

    assert door.handed_on == []
    assert door.answered == [sent.status] == [400 if len(query) > LONGEST_QUERY else 200]


async def test_what_only_looks_like_it_is_refused_as_any_other_unknown_parameter() -> None:
    door = Door(lenient_areas=frozenset())

    assert b'"unknown_parameter"' in (await ask(door.app, "/search", b"as_Of=1")).body
    assert door.handed_on == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "query", [b"as_of", b"as_of=", b"&&as_of=1", b"x=1&as%5fof=1", b"%61s_of=1", b"as_of=1&as_of=2"]
)
async def test_where_one_is_the_route_of_the_past_answers(query: bytes, method: str) -> None:
    door = Door()

    await ask(door.app, "/search", query, method=method)

    assert (door.handed_on, door.answered) == ([query], [])


async def test_a_query_is_handed_on_just_when_the_route_would_find_as_of_in_it() -> None:
    chance, found = random.Random(4), 0
    words = (
        "as_of",
        "as%5Fof",
        "%61s_of",
        "as+of",
        "as",
        "_of",
        "&",
        "&",
        "=",
        "=",
        "%",
        "%26",
        "%3D",
        ";",
        "x",
        "\xff",
    )
    for _ in range(3000):
        query = "".join(chance.choices(words, k=chance.randrange(1, 7))).encode("latin-1")
        door = Door()

        await ask(door.app, "/search", query)

        assert bool(door.handed_on) == ("as_of" in QueryParams(query)), query
        found += len(door.handed_on)
    assert 300 < found < 2700


# how it is sent


@pytest.mark.parametrize("number", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 1])
@pytest.mark.parametrize("query", [b"", b"as_of=2021-06-01T00:00:00Z"])
async def test_an_answer_in_pieces_is_what_it_would_be_in_one(number: int, query: bytes) -> None:
    history = GatedHistory(number)

    class Finder:
        def find(self, _window: TimeWindow) -> Sequence[PlanSummary]:
            return history.found

    api = create_api([search_router(Finder(), ZoneInfo("UTC"), lambda: True, SearchPast(history))], "test")

    sent = await ask(api, "/search", query)

    plans = b",".join(map(render_plan, history.found))
    assert (sent.status, sent.body) == (200, b'{"data":{"events":[' + plans + b']},"error":null}')
    assert sent.headers == {b"content-type": b"application/json", b"content-length": b"%d" % len(sent.body)}


async def test_others_get_their_turn_between_two_pieces_though_nothing_waits_for_the_socket() -> None:
    turns: list[int] = []
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def others() -> None:
        while True:
            turns.append(len(messages))
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await PackedAnswer(some_plans(10 * PIECE))({"type": "http"}, None, send)  # type: ignore[arg-type]  # never asked
    task.cancel()

    assert len(messages) == 11
    assert {*range(2, 12)} <= {*turns}


async def test_a_slow_reader_has_one_piece_before_it_and_the_rest_is_kept_small() -> None:
    number = 20 * PIECE
    answer = PackedAnswer(some_plans(number))
    length = int(answer.headers["content-length"])
    reader = Reader(answer)

    await reader.take()
    kept = answer.kept
    await reader.take()
    await settle()

    assert kept < length / 5
    assert kept > answer.kept > kept * 0.8
    assert len(reader.taken[1]["body"]) < length / 15
    assert len(json.loads(await reader.read())["data"]["events"]) == number
    assert answer.kept == 0


# how many at once


async def test_a_few_answers_are_made_at_once_and_the_others_wait_for_their_turn() -> None:
    history = GatedHistory(gated=True)
    past = AsOfAnswers(SearchPast(history), at_once=2)
    asking = [asyncio.create_task(past(ANY, NOW)) for _ in range(7)]
    await settle()
    before = history.asked

    history.gate.set()
    answers = await asyncio.gather(*asking)

    assert (before, history.asked, history.most) == (2, 7, 2)
    assert [answer.status_code for answer in answers] == [200] * 7


async def test_whose_turn_does_not_come_is_told_to_come_again_later() -> None:
    history = GatedHistory(gated=True)
    past = AsOfAnswers(SearchPast(history), at_once=1, timeout=SOON)
    first = asyncio.create_task(past(ANY, NOW))
    await asyncio.sleep(0)

    with pytest.raises(TooManyPastSearchesError) as refused:
        await past(ANY, NOW)
    history.gate.set()

    reply = ERRORS.reply(refused.value)
    assert (reply.status, reply.code) == (500, "too_many_past_searches")  # the contract knows no 503
    assert reply.fields == ((b"retry-after", b"5"),)
    assert (await first).status_code == (await past(ANY, NOW)).status_code == 200


async def test_who_reads_slowly_keeps_nobody_from_asking() -> None:
    past = AsOfAnswers(SearchPast(GatedHistory(2 * PIECE)), at_once=1, timeout=SOON)

    readers = [Reader(await past(ANY, NOW)) for _ in range(5)]

    for reader in readers:
        await reader.take()
    assert [len(json.loads(await reader.read())["data"]["events"]) for reader in readers] == [2 * PIECE] * 5


async def test_what_slow_readers_may_leave_lying_has_an_end_and_counts_until_it_is_read_or_they_go() -> None:
    history = GatedHistory(10 * PIECE)
    past = AsOfAnswers(SearchPast(history), most_kept=PackedAnswer(history.found).kept)
    one = Reader(await past(ANY, NOW))
    await settle()
    other = Reader(await past(ANY, NOW))
    await settle()

    with pytest.raises(TooManyPastSearchesError):
        await past(ANY, NOW)
    await one.read()
    await past(ANY, NOW)
    other.sending.cancel()
    await asyncio.wait([other.sending])
    del other
    await settle()  # the thread that made an answer holds it for a moment more

    assert past.kept == 0
    assert history.asked == 3


@pytest.mark.parametrize("goes_wrong", ["unavailable", "too many", "cancelled"])
async def test_a_place_is_given_back_whatever_happens(goes_wrong: str) -> None:
    history = GatedHistory(3, gated=goes_wrong == "cancelled")
    history.unavailable = goes_wrong == "unavailable"
    past = AsOfAnswers(SearchPast(history, most=2 if goes_wrong == "too many" else 3), at_once=1, timeout=SOON)

    for _ in range(3):
        asking = asyncio.create_task(past(ANY, NOW))
        await asyncio.sleep(0)
        if goes_wrong == "cancelled":
            asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled() or isinstance(asking.exception(), HistoryUnavailableError | WindowTooWideError)
    assert history.asked == 3
