"""The challenge's three responses, in both dialects, through the whole service."""

import pytest

from tests.support.service import Service

pytestmark = pytest.mark.redis_server

WINDOW = "starts_at=2021-02-01T00:00:00Z&ends_at=2022-07-03T00:00:00Z"

PANTOMIMA_1642 = {
    "title": "Pantomima Full",
    "start_date": "2021-02-10",
    "start_time": "20:00:00",
    "end_date": "2021-02-10",
    "end_time": "21:30:00",
    "min_price": 55.0,
    "max_price": 55.0,
}
PANTOMIMA_1643 = {**PANTOMIMA_1642, "start_date": "2021-02-11", "end_date": "2021-02-11"}
CAMELA = {
    "title": "Camela en concierto",
    "start_date": "2021-06-30",
    "start_time": "21:00:00",
    "end_date": "2021-06-30",
    "end_time": "21:30:00",
    "min_price": 20.0,  # Grada 2 at 15.00 has sold out
    "max_price": 30.0,
}
MORANCOS = {
    "title": "Los Morancos",
    "start_date": "2021-07-31",
    "start_time": "20:00:00",
    "end_date": "2021-07-31",
    "end_time": "21:00:00",
    "min_price": 65.0,  # those at 75.00 have sold out
    "max_price": 65.0,
}

# Written down once and never to change: apps keep these ids.
EXPECTED = [
    {"id": "239cf30a-e2a9-5e9d-a270-7fbd5ad6e546", **PANTOMIMA_1642},
    {"id": "83639aa8-bca8-5d9b-a30b-4289387bda98", **PANTOMIMA_1642},
    {"id": "d4b8e8c5-2a0c-5d49-ab91-d58fb78972c0", **PANTOMIMA_1643},
    {"id": "1da4c9fb-efd7-5c7e-ad61-cf928ce59c4f", **CAMELA},
    {"id": "7dd33056-6fcf-58dc-a232-c735f87e0fba", **CAMELA},
    {"id": "4c61f174-0ad8-5bb2-bd3d-f52592642280", **MORANCOS},
    {"id": "f593e813-fd6a-52bc-904b-ea4a4e9e34b3", **MORANCOS},
]


def test_after_three_responses_a_search_finds_what_was_kept_and_the_latest_of_what_stayed(service: Service) -> None:
    answer = service.ask(f"/search?{WINDOW}")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"data": {"events": EXPECTED}, "error": None}


def test_the_fields_of_a_plan_come_in_the_contracts_order(service: Service) -> None:
    fields = ["id", "title", "start_date", "start_time", "end_date", "end_time", "min_price", "max_price"]

    assert [list(plan) for plan in service.search(WINDOW)] == [fields] * len(EXPECTED)


def test_the_offline_plan_with_an_impossible_date_is_found_in_no_window(service: Service) -> None:
    titles = {plan["title"] for plan in service.search()}

    assert titles == {"Pantomima Full", "Camela en concierto", "Los Morancos", "Fold", "Gap", "Summer"}


@pytest.mark.parametrize("provider", ["demo", "other"])
def test_the_impossible_date_is_a_rejection_that_says_where_it_stands(service: Service, provider: str) -> None:
    rejections = service.ask(f"/catalog/providers/{provider}/rejections").json

    assert [(found["base_id"], found["item_id"], found["reason"], found["times"]) for found in rejections] == [
        ("444", "1642", "invalid_date", 2)
    ]
    assert all("2021-09-31" in found["message"] and found["line"] > 0 for found in rejections)
    assert all("2021-09-31T20:00:00" in found["source"] for found in rejections)


def test_everything_is_known_of_a_plan_that_left_the_feed(service: Service) -> None:
    plan = service.ask(f"/catalog/plans/{EXPECTED[0]['id']}").json

    first_seen, last_seen, withdrawn = (plan.pop(f"{word}_at") for word in ("first_seen", "last_seen", "withdrawn"))
    assert first_seen <= last_seen < withdrawn
    assert plan == {
        "id": EXPECTED[0]["id"],
        "provider": "demo",
        "base_id": "322",
        "item_id": "1642",
        "title": "Pantomima Full",
        "sell_mode": "online",
        "organizer_id": "2",
        "timezone": "Europe/Madrid",
        "starts": "2021-02-10T20:00:00",
        "ends": "2021-02-10T21:30:00",
        "starts_at": "2021-02-10T19:00:00.000Z",
        "ends_at": "2021-02-10T20:30:00.000Z",
        "sell_from": "2021-01-01T00:00:00",
        "sell_to": "2021-02-09T19:50:00",
        "sold_out": False,
        "min_price": 55.0,
        "max_price": 55.0,
        "zones": [{"zone_id": "311", "capacity": 2, "price": 55.0, "name": "A42", "numbered": True}],
        "in_feed": False,
        "searchable": True,
        "start_has_time": True,
        "end_has_time": True,
        "status": "scheduled",
        **dict.fromkeys(("currency", "place", "url", "image", "category")),
    }


def test_two_zones_of_one_id_are_both_kept(service: Service) -> None:
    zones = service.ask(f"/catalog/plans/{EXPECTED[5]['id']}").json["zones"]

    assert [(zone["zone_id"], zone["capacity"], zone["price"], zone["numbered"]) for zone in zones] == [
        ("186", 0, 75.0, True),
        ("186", 12, 65.0, False),
    ]


def test_the_runs_say_what_each_response_changed(service: Service) -> None:
    runs = service.ask("/catalog/providers/demo/runs").json

    assert [(run["outcome"], run["changes"], run["rejected"]) for run in reversed(runs)] == [
        ("applied", {"listed": 4}, 0),
        ("applied", {"changed": 2, "withdrawn": 2}, 1),
        ("applied", {"changed": 2}, 1),
    ]
