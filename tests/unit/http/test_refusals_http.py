"""What doors did not understand, told over HTTP."""

import json
from typing import Any

import pytest

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.operations.refusals_router import refusals_router
from app.application.note_refusals import counts_by_reason
from tests.support.asgi import ask
from tests.support.ingest_world import VIEW, World, an_array
from tests.support.service_world import ServiceWorld


@pytest.fixture
def world() -> World:
    return World()


async def told(world: World) -> dict[str, Any]:
    service = ServiceWorld()
    service.watch.counted = await world.tally.read()
    api = create_api([refusals_router(world.samples, service.watch)], "test")
    answer: dict[str, Any] = json.loads((await ask(api, "/activities/refused")).body)
    return answer


async def test_refusals_are_told_by_reason_with_the_record_and_what_was_expected(world: World) -> None:
    await world.post(an_array(VIEW, b'{"type":"view","value":true}', b'{"type":"view","value":false}'))
    await world.post(b"{")

    answer = await told(world)

    assert answer["shared"]
    json_flaw, wrong = answer["reasons"]
    assert (json_flaw["reason"], json_flaw["count"], json_flaw["samples"][0]["record"]) == ("invalid_json", 1, "")
    assert (wrong["reason"], wrong["count"]) == ("wrong_type", 2)
    (sample,) = wrong["samples"]
    assert sample["record"] == '{"type":"view","value":false}'
    assert sample["message"].startswith("value: expected a number")


async def test_what_was_taken_and_not_understood_is_counted_too(world: World) -> None:
    await world.post(an_array(b'{"type":"view","colour":1,"user_id":"undefined"}', b'{"type":"view","colour":2}'))

    reasons = {one["reason"]: one for one in (await told(world))["reasons"]}

    assert {name: one["count"] for name, one in reasons.items()} == {"ignored_fields": 2, "placeholder_users": 1}
    assert reasons["ignored_fields"]["samples"][0]["message"] == "fields that mean nothing: colour"
    assert reasons["placeholder_users"]["samples"][0]["message"] == "users that are none: undefined"


async def test_where_everything_is_understood_nothing_is_noted(world: World) -> None:
    await world.post(an_array(VIEW, VIEW))

    assert counts_by_reason(await world.tally.read()) == {}
    assert (await told(world))["reasons"] == []


async def test_samples_of_one_process_are_said_to_be_that(world: World) -> None:
    await world.post(b"{")
    world.store.unavailable = "away"

    found = await world.samples.last()

    assert (found.is_shared, len(found.samples)) == (False, 1)
