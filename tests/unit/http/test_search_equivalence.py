"""The bare search and the FastAPI route answer the same, byte for byte: one from its index, the other from a scan."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, quote_plus, urlencode
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from app.adapters.inbound.http.access.areas import Areas
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.guarded_app import GuardedApp
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.authenticate import Authenticate
from app.application.ports.catalog import PlanFinder
from app.application.read_history import SearchPast
from app.domain.access import OPENABLE, Area
from app.domain.plans import PlanSummary, SearchablePlan, searchable
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.asgi import ask
from tests.support.builders import a_plan, a_zone
from tests.support.fixed_clock import FixedClock

QUESTIONS = 10_000
ZONE = ZoneInfo("Europe/Madrid")
START = datetime(2021, 3, 26, tzinfo=UTC)
PAST = SearchPast(MemoryPlanJournal())
"""Nobody asks for it here."""


class ScanningFinder(PlanFinder):
    """Search as one would write it down: look at every plan."""

    def __init__(self, plans: Sequence[SearchablePlan]) -> None:
        self._plans = sorted(plans, key=lambda plan: (plan.starts_at, str(plan.summary.plan_id)))

    def find(self, window: TimeWindow) -> list[PlanSummary]:
        return [plan.summary for plan in self._plans if window.holds(plan.starts_at, plan.ends_at)]


def some_plans(chance: random.Random, number: int) -> list[SearchablePlan]:
    plans = []
    for item in range(number):
        starts = START + timedelta(minutes=30 * chance.randrange(240))
        length = timedelta(minutes=chance.choice((0, 30, 90, 400, 1500, 5000, 40_000)))
        plan = a_plan(
            item,
            title=chance.choice(('Los "Morancos"', "Ñandú\u2028 </b>", "Camela", "")),
            starts=starts.replace(tzinfo=None).isoformat(),
            ends=(starts + length).replace(tzinfo=None).isoformat(),
            timezone=chance.choice(("Europe/Madrid", "UTC", "Asia/Kathmandu")),
            zones=tuple(
                a_zone(price=chance.choice(("0.00", "15", "20.50", "1E+2"))) for _ in range(chance.randrange(3))
            ),
        )
        plans.append(searchable(plan))
    return plans


def questions(chance: random.Random) -> Iterator[bytes]:
    for _ in range(QUESTIONS):
        yield chance.choice((usual, spelled_otherwise, malformed))(chance).encode("latin-1", "replace")


def a_date_time(chance: random.Random) -> datetime:
    return START + timedelta(minutes=15 * chance.randrange(-100, 700))


def usual(chance: random.Random) -> str:
    one, two = sorted((a_date_time(chance), a_date_time(chance)))
    return f"starts_at={one:%Y-%m-%dT%H:%M:%SZ}&ends_at={two:%Y-%m-%dT%H:%M:%SZ}"


def spelled_otherwise(chance: random.Random) -> str:
    spellings = (
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dt%H:%M:%Sz",
        "%Y-%m-%dT%H:%M:%S.%f",
    )
    offsets = ("", "", "Z", "+02:00", " 02:00", "-0530", "+00:00", " 0545")
    parameters = []
    for name in ("starts_at", "ends_at"):
        if chance.random() < 0.85:
            text = a_date_time(chance).strftime(chance.choice(spellings))
            text += "" if text.endswith("z") else chance.choice(offsets)
            parameters.append(f"{name}={chance.choice((quote, quote_plus, str))(text)}")
    if chance.random() < 0.1:
        parameters.append(chance.choice(("limit=5", "start_at", "ENDS_AT=", "=&%00")))
    chance.shuffle(parameters)
    return "&".join(parameters)


def malformed(chance: random.Random) -> str:
    texts = (
        "",
        "now",
        "2021-02-30T00:00:00Z",
        "2021-09-31T20:00:00Z",
        "2021-02-01",
        "20210201T000000Z",
        "2021-W05-1T00:00:00Z",
        "2021-02-01T24:00:00Z",
        "2021-02-01T00:00:60Z",
        "2021-02-01T00:00:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1612137600",
        "٢٠٢١-02-01T00:00:00Z",
        "%ff%fe",
        "%00",
        "2021-02-01T00:00:00Z\n",
        "x" * 3000,
        "2021-02-01X00:00:00Z",
        "2021-02-01T00:00:00.1234567890Z",
        "0000-01-01T00:00:00Z",
    )
    parts = [f"{chance.choice(('starts_at', 'ends_at', 'starts_at'))}={chance.choice(texts)}" for _ in range(2)]
    return chance.choice(
        (
            "&".join(parts),
            parts[0],
            usual(chance).replace("starts_at", "ends_at"),
            f"starts_at={a_date_time(chance).isoformat()}&{usual(chance)}",
            urlencode({"ends_at": chance.choice(texts).encode("utf-8", "replace")}),
            usual(chance)[: chance.randrange(70)],
            "&&==&",
            "&".join(reversed(usual(chance).replace("starts_at", "x").replace("ends_at", "starts_at").split("&"))),
        )
    )


def guarded(api: FastAPI) -> ASGIApp:
    """Put before the route what refuses unknown parameters there."""
    rules = {("GET", "/search"): Area.SEARCH, ("GET", "/openapi.json"): Area.DOCS}
    gatekeeper = Gatekeeper(Authenticate(MemoryApiKeys(AccessStore()), FixedClock()), OPENABLE)
    return GuardedApp(api, Areas(api, rules), gatekeeper, ERRORS)


@pytest.fixture(scope="module")
def applications() -> tuple[ASGIApp, ASGIApp]:
    plans = some_plans(random.Random(1), 400)
    index = LiveIndex(RENDERING)
    index.put(plans)
    index.mark_ready()
    reference = guarded(create_api([search_router(ScanningFinder(plans), ZONE, lambda: True, PAST)], "test"))
    return SearchApp(reference, index, ZONE, lambda _status, _seconds: None, errors=ERRORS), reference


async def test_the_bare_search_answers_as_the_reference_does(applications: tuple[ASGIApp, ASGIApp]) -> None:
    bare, reference = applications
    statuses = {200: 0, 400: 0}

    for query in questions(random.Random(2)):
        ours, theirs = await ask(bare, "/search", query), await ask(reference, "/search", query)

        assert (ours.status, ours.body) == (theirs.status, theirs.body), query
        assert ours.headers[b"content-type"] == theirs.headers[b"content-type"]
        assert int(ours.headers.get(b"content-length", len(ours.body))) == len(ours.body)
        statuses[ours.status] += 1

    assert min(statuses.values()) > QUESTIONS / 10  # both kinds of question were asked


async def test_a_large_answer_that_is_sent_bit_by_bit_is_the_same() -> None:
    plans = some_plans(random.Random(3), 9_000)
    index = LiveIndex(RENDERING)
    index.put(plans)
    index.mark_ready()
    reference = create_api([search_router(ScanningFinder(plans), ZONE, lambda: True, PAST)], "test")
    bare = SearchApp(reference, index, ZONE, lambda _status, _seconds: None, errors=ERRORS)

    ours = await ask(bare, "/search")

    assert b"content-length" not in ours.headers
    assert ours.body == (await ask(reference, "/search")).body
    assert ours.body.count(b'"id":') == 9_000


async def test_before_the_catalog_is_loaded_both_say_so() -> None:
    index = LiveIndex(RENDERING)
    reference = create_api([search_router(index, ZONE, lambda: index.ready, PAST)], "test")
    bare = SearchApp(reference, index, ZONE, lambda _status, _seconds: None, errors=ERRORS)

    ours, theirs = await ask(bare, "/search"), await ask(reference, "/search")

    assert ours.status == theirs.status == 500
    assert ours.body == theirs.body
    assert b'"code":"catalog_not_loaded"' in ours.body
    assert ours.headers[b"retry-after"] == b"1"


async def test_a_client_that_has_the_answer_already_gets_304(applications: tuple[ASGIApp, ASGIApp]) -> None:
    bare, _ = applications
    etag = (await ask(bare, "/search")).headers[b"etag"]

    for if_none_match in (etag, b"W/" + etag, b'"other", ' + etag, b"*"):
        assert (await ask(bare, "/search", headers=((b"if-none-match", if_none_match),))).status == 304
    assert (await ask(bare, "/search", headers=((b"if-none-match", b'"other"'),))).status == 200


async def test_a_tag_names_the_answer_and_no_change_elsewhere_touches_it() -> None:
    index = LiveIndex(RENDERING)
    index.put([searchable(a_plan(number, starts=f"{number}:00", ends=f"{number}:30")) for number in range(10, 20)])
    index.mark_ready()
    reference = create_api([search_router(index, ZONE, lambda: True, PAST)], "test")
    bare = SearchApp(reference, index, UTC, lambda _status, _seconds: None, errors=ERRORS)

    async def tag(first: int, last: int) -> bytes:
        window = b"starts_at=2021-06-30T%02d:00:00Z&ends_at=2021-06-30T%02d:00:00Z" % (first, last)
        return (await ask(bare, "/search", window)).headers[b"etag"]

    morning, noon = await tag(10, 12), await tag(13, 15)
    index.put([searchable(a_plan(13, title="another", starts="13:00", ends="13:30"))])

    assert morning == await tag(10, 12)
    assert noon != await tag(13, 15)


async def test_a_request_id_is_taken_and_returned_and_a_strange_one_is_replaced(
    applications: tuple[ASGIApp, ASGIApp],
) -> None:
    bare, _ = applications

    taken = await ask(bare, "/search", headers=((b"x-request-id", b"abc-123"),))
    strange = await ask(bare, "/search", headers=((b"x-request-id", b"a b\xff" * 50),))
    own = await ask(bare, "/search")

    assert taken.headers[b"x-request-id"] == b"abc-123"
    assert len(strange.headers[b"x-request-id"]) < 40
    assert own.headers[b"x-request-id"] != strange.headers[b"x-request-id"]


async def test_what_is_no_get_of_search_goes_to_the_api_behind(applications: tuple[ASGIApp, ASGIApp]) -> None:
    bare, _ = applications

    assert (await ask(bare, "/search", method="POST")).status == 405
    assert (await ask(bare, "/nothing")).body == b'{"error":{"code":"not_found","message":"Not Found"},"data":null}'
