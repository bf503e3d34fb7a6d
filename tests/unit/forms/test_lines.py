"""NDJSON at the door: a record a line, and a bad line costs itself."""

import json

import pytest

from app.adapters.inbound.intake.forms.lines import MOST_BLANK
from tests.support.ingest_world import LIMITS, VIEW, World, error_of


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("kind", [b"application/x-ndjson", b"application/ndjson", b"Application/JSONL; charset=utf-8"])
async def test_each_line_is_a_record_under_every_name_of_the_form(world: World, kind: bytes) -> None:
    answer = await world.post(b'{"type":"view"}\r\n{"type":"buy"}\n', "/events", (b"content-type", kind))

    assert (answer.status, world.taken) == (202, ["view", "buy"])


async def lines(world: World, *sent: bytes) -> tuple[int, list[tuple[int, str]]]:
    answer = await world.post(b"\n".join(sent), "/events", (b"content-type", b"application/x-ndjson"))
    if answer.status != 202:
        return answer.status, [(one["index"], one["code"]) for one in error_of(answer).get("details", [])]
    return 202, [
        (one["index"], one["error"]["code"] if one["status"] == "refused" else one["status"])
        for one in json.loads(answer.body)["results"]
    ]


async def test_blank_lines_are_none_but_count_as_lines(world: World) -> None:
    assert await lines(world, b"", VIEW, b" \t", VIEW, b"") == (202, [(1, "accepted"), (3, "accepted")])


async def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(world: World) -> None:
    assert await lines(world, b"\xef\xbb\xbf" + VIEW, VIEW) == (202, [(0, "accepted"), (1, "accepted")])


async def test_a_bad_line_costs_itself(world: World) -> None:
    found = await lines(world, VIEW, b"{", b"", b"7", VIEW + VIEW, b'{"type":"View"}', VIEW)

    assert found == (
        202,
        [
            (0, "accepted"),
            (1, "invalid_json"),
            (3, "not_an_object"),
            (4, "invalid_json"),
            (5, "invalid_type"),
            (6, "accepted"),
        ],
    )


async def test_a_record_over_two_lines_is_none(world: World) -> None:
    assert await lines(world, b"", b'{"type":', b'"view"}') == (400, [(1, "invalid_json"), (2, "invalid_json")])


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ([b""], 400, "no_activities"),
        ([b" ", b"\t"], 400, "no_activities"),
        ([VIEW] * (LIMITS.array + 1), 413, "too_many"),
        ([b""] * (LIMITS.array + MOST_BLANK + 2), 413, "too_many"),
    ],
)
async def test_no_lines_and_too_many_are_refused_as_a_whole(
    world: World, sent: list[bytes], status: int, code: str
) -> None:
    answer = await world.post(b"\n".join(sent), "/events", (b"content-type", b"application/x-ndjson"))

    assert (answer.status, error_of(answer)["code"], world.taken) == (status, code, [])


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/events/batch", b"application/x-ndjson"), ("/events", b"application/x-ndjson; charset=latin-1")],
)
async def test_lines_are_not_taken_elsewhere_nor_in_another_charset(world: World, path: str, kind: bytes) -> None:
    answer = await world.post(VIEW, path, (b"content-type", kind))

    assert (answer.status, error_of(answer)["code"]) == (415, "unsupported_media_type")
