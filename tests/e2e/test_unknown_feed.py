"""A feed that nobody has seen, in pages of JSON: from `providers try` by YAML alone to what the service tells of it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.feed_server import FeedServer, Request, answer
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

LISBON = {"hall": "Armazém 7", "town": "Lisboa", "geo": {"lat": 38.7, "lng": -9.1}}
CONCERT = {
    "ref": "c-1",
    "headline": "Fado ao luar",
    "kind": "music",
    "state": "confirmed",
    "when": {"from": "2027-03-27T21:30:00", "to": "2027-03-28T02:30:00", "tz": "Europe/Lisbon"},
    "venue": LISBON,
    "link": "https://palco.example/c-1",
    "poster": "https://palco.example/c-1.jpg",
    "tickets": [
        {"code": "A", "label": "Plateia", "price": "32,50"},
        {"code": "B", "label": "Balcão", "price": "18,00"},
    ],
}
EXHIBITION = {
    "ref": "x-2",
    "headline": "Azulejos",
    "kind": "exhibition",
    "state": "confirmed",
    "when": {"from": "2027-04-01", "to": "2027-06-30", "tz": "Europe/Lisbon"},
    "venue": LISBON,
    "link": "https://palco.example/x-2",
    "poster": "https://palco.example/x-2.jpg",
    "tickets": [],
}
OFF_AIR = {
    "ref": "c-3",
    "headline": "Ondas",
    "kind": "music",
    "state": "cancelled",
    "when": {"from": "2027-04-10T20:00:00", "to": "2027-04-10T22:00:00", "tz": "Atlantic/Azores"},
    "venue": {"hall": "Farol", "town": "Horta", "geo": {"lat": 38.5, "lng": -28.6}},
    "link": "https://palco.example/c-3",
    "poster": "https://palco.example/c-3.jpg",
    "tickets": [{"code": "A", "label": "Única", "price": "12,00"}],
}


class Pages:
    """Two pages; what stands on them can change."""

    def __init__(self) -> None:
        self.shows: list[dict[str, Any]] = [CONCERT, EXHIBITION, OFF_AIR]

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        is_second = "page=2" in request.target
        page = {
            "shows": self.shows[2:] if is_second else self.shows[:2],
            "next": None if is_second else "/shows?page=2",
        }
        await answer(body=json.dumps(page))(request, writer)


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages()


@pytest.fixture(scope="module")
def pasted(pages: Pages) -> Iterator[tuple[Installation, dict[str, Any]]]:
    """The entry that `try` proposes stands in config.yaml as it is, but for its name."""
    with FeedServer(pages) as server, Installation() as installation:
        tried = installation.json_of("providers", "try", server.url, "--timezone", "Europe/Madrid")
        [entry] = yaml.safe_load(tried["entry"])["providers"]
        installation.configure({**entry, "name": "palco"})
        yield installation, tried


@pytest.fixture(scope="module")
def service(pasted: tuple[Installation, dict[str, Any]]) -> Service:
    installation, _ = pasted
    service = installation.run()
    until(lambda: service.finds(title="Fado ao luar"))
    return service


def test_the_trial_reads_all_pages_and_rejects_nothing(pasted: tuple[Installation, dict[str, Any]]) -> None:
    _, tried = pasted

    assert (tried["usable"], tried["rejected"], tried["is_whole"], tried["ignored"]) == (3, {}, True, {})


def test_search_finds_the_plans_at_their_own_times(service: Service) -> None:
    found = {
        plan["title"]: plan for plan in service.search("starts_at=2027-03-01T00:00:00Z&ends_at=2027-07-01T00:00:00Z")
    }

    concert, exhibition = found["Fado ao luar"], found["Azulejos"]
    assert [concert[key] for key in ("start_date", "start_time", "end_date", "end_time")] == [
        "2027-03-27",
        "21:30:00",
        "2027-03-28",
        "02:30:00",
    ]
    assert (concert["min_price"], concert["max_price"]) == (18.0, 32.5)
    assert [exhibition[key] for key in ("start_date", "start_time", "end_date", "end_time")] == [
        "2027-04-01",
        None,
        "2027-06-30",
        None,
    ]


def test_a_window_counts_instants_in_the_zone_of_each_plan(service: Service) -> None:
    """20:00 in the Azores is 20:00 UTC in summer; 21:30 in Lisbon is 21:30 UTC the night before its summer begins."""
    azores = service.search("starts_at=2027-04-10T20:00:00Z&ends_at=2027-04-10T22:00:00Z")
    lisbon = service.search("starts_at=2027-03-27T21:30:00Z&ends_at=2027-03-28T01:30:00Z")

    assert [plan["title"] for plan in azores] == ["Ondas"]
    assert [plan["title"] for plan in lisbon] == ["Fado ao luar"]


def test_a_plan_tells_its_place_status_picture_and_category(service: Service) -> None:
    listed = service.ask("/catalog/plans?from=2027-03-01&to=2027-07-01&match=overlapping").json["plans"]
    ids = {plan["title"]: plan["id"] for plan in listed}

    ondas = service.ask(f"/catalog/plans/{ids['Ondas']}").json

    assert ondas["status"] == "cancelled"
    assert ondas["place"] == {"name": "Farol", "city": "Horta", "country": None, "latitude": 38.5, "longitude": -28.6}
    assert (ondas["url"], ondas["image"], ondas["category"]) == (
        "https://palco.example/c-3",
        "https://palco.example/c-3.jpg",
        "music",
    )
    assert ondas["timezone"] == "Atlantic/Azores"


def test_a_change_is_told_by_the_change_feed_and_the_history(
    pasted: tuple[Installation, dict[str, Any]], service: Service, pages: Pages
) -> None:
    installation, _ = pasted
    plan_id = next(plan["id"] for plan in service.search() if plan["title"] == "Fado ao luar")
    until(lambda: len(service.ask("/catalog/changes").json["changes"]) == 3)
    cursor = service.ask("/catalog/changes").json["cursor"]
    pages.shows = [CONCERT | {"state": "cancelled", "venue": {**LISBON, "hall": "Coliseu"}}, EXHIBITION, OFF_AIR]

    done = installation.command("sync", "palco")

    assert done.returncode == 0, done.stderr
    until(lambda: service.ask(f"/catalog/changes?after={cursor}").json["changes"])
    [change] = service.ask(f"/catalog/changes?after={cursor}").json["changes"]
    assert change["subject"] == f"plans/{plan_id}"
    told = change["data"]["details"]
    assert (told["status"], told["image"]) == ("cancelled", "https://palco.example/c-1.jpg")
    newest, oldest = service.ask(f"/catalog/plans/{plan_id}/history").json
    assert [(state["status"], state["place"]["name"]) for state in (oldest, newest)] == [
        ("scheduled", "Armazém 7"),
        ("cancelled", "Coliseu"),
    ]
