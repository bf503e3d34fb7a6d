"""What the door makes of bodies: broken ones, large ones, packed ones, wrongly announced ones."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.adapters.inbound.http.connection.request_body import MOST_MEMBERS
from app.adapters.inbound.http.ingest.ingest_door import IngestLimits
from app.domain.activities import LARGEST_ACTIVITY
from tests.support.ingest_world import GZIP, JSON, LIMITS, VIEW, World, a_batch, an_array, error_of


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("path", ["/events", "/events/batch"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"type=view",
        b'\f{"events":[{"type":"view"}]}',
        b'{"events"\f:[{"type":"view"}]}',
        b"\xef\xbb\xbf" + VIEW,
        VIEW.decode().encode("utf-16"),
        b'{"type":"view"',
        b'{"type":"view"}}',
        b'{"events":[{"type":"view"}]',
        b'{"events":[{"type":"view"}]]',
        b'{"events":[{"type":"view"},]}',
        b'{"events":[{"type":"view"}],"x":}',
        b'{"events":[{"type":"view"}],}',
        b'{"events":[{"type":"view"}] "x":1}',
        b'{"events":[{"type":"view"} {"type":"view"}]}',
        b'[{"type":"view"},]',
        b'[{"type":"view"}',
        b'[{"type":"view"}}',
        b'[{"type":"view"}] [',
        b'[{"type":"view"},{"type":}]',
        b'[{"type":"view","value":NaN},{"type":}]',
        b'[{"type":"view","value":NaN}]]',
        b'[{"type":"view","value":NaN}},{"type":"view"}]',
        b'[{"type":"view"},"\\ud800',
        b'[{"type":"view"},"\\"\\"\\ud800',
        b"nonsense",
    ],
)  # fmt: skip
async def test_what_is_no_json_is_refused_as_a_whole(world: World, path: str, body: bytes) -> None:
    answer = await world.post(body, path)

    assert answer.status == 400
    assert error_of(answer)["code"] == ("invalid_batch" if "batch" in path and body[:1] == b"[" else "invalid_json")
    assert world.taken == []


@pytest.mark.parametrize("body", [b"5", b"null", b'"view"', b"true"])
async def test_json_of_another_kind_is_refused(world: World, body: bytes) -> None:
    answer = await world.post(body)

    assert (answer.status, error_of(answer)["code"]) == (400, "not_an_object")


async def test_the_place_where_json_ends_is_told(world: World) -> None:
    fast = error_of(await world.post(b'[{"type":"view"},{"type":}]'))
    careful = error_of(await world.post(b'[{"type":"view","value":NaN},{"type":}]'))

    assert "byte 25" in fast["message"]
    assert "byte 37" in careful["message"]


async def test_records_that_are_nested_absurdly_cost_the_others_nothing_unless_there_are_many() -> None:
    world = World(limits=replace(LIMITS, body=512 * 1024))
    deep = b'{"type":"view","x":["]",' + b"[" * 15_000 + b"]" * 15_000 + b"]}"  # Python 3.13 decodes 11,000

    some = await world.post(an_array(VIEW, *[deep] * 10, VIEW))
    many = await world.post(an_array(VIEW, *[deep] * 11, VIEW))
    endless = await world.post(an_array(VIEW, b"[" * 5000))
    too_long = await world.post(an_array(VIEW, b"[" * 70_000))

    assert [result["status"] for result in json.loads(some.body)["results"]] == [
        "accepted",
        *["refused"] * 10,
        "accepted",
    ]
    assert (many.status, error_of(many)["code"]) == (400, "too_deep")
    assert (endless.status, error_of(endless)["code"]) == (400, "invalid_json")
    assert (too_long.status, error_of(too_long)["code"], error_of(too_long)["limit"]) == (
        413,
        "too_large",
        LARGEST_ACTIVITY,
    )


async def test_beside_a_flawed_record_one_too_large_cannot_be_stepped_over(world: World) -> None:
    flawed, large = b'{"type":"view","value":NaN}', b'{"type":"view","x":"%s"}' % (b"a" * LARGEST_ACTIVITY)

    answer = await world.post(an_array(VIEW, flawed, large))

    assert (answer.status, error_of(answer)["code"], error_of(answer)["limit"]) == (413, "too_large", LARGEST_ACTIVITY)
    assert world.taken == []


async def test_bytes_that_are_no_text_cost_the_others_nothing_beside_a_flawed_record(world: World) -> None:
    answer = await world.post(an_array(VIEW, b'{"type":"view","value":NaN}', b'{"type":"view","source":"\xff"}', VIEW))

    codes = [result.get("error", {}).get("code") for result in json.loads(answer.body)["results"]]
    assert codes == [None, "not_finite", "invalid_utf8", None]


async def test_many_commas_are_no_flaw() -> None:
    world = World(limits=IngestLimits(array=2000, batch=100, body=8 * 1024**2))
    large = b'{"type":"view","properties":{"l":[%s1]}}' % (b"1," * 30_000)

    answer = await world.post(an_array(*[large] * 5))

    assert (answer.status, json.loads(answer.body)["accepted"]) == (202, 5)


async def test_a_batch_has_at_most_a_thousand_fields(world: World) -> None:
    fields = b",".join(b'"%d":0' % number for number in range(1000))

    answer = await world.post(b'{%s,"events":[{"type":"view"}]}' % fields, "/events/batch")

    assert (answer.status, error_of(answer)["code"]) == (400, "invalid_batch")


async def test_brackets_and_commas_in_texts_split_nothing(world: World) -> None:
    tricky = b'{"type":"view","user_id":"a],{\\"[","value":NaN}'

    answer = await world.post(an_array(tricky, b'{"type":"buy","user_id":"\\\\"}', b"[[1,2],[3]]"))

    assert [result["status"] for result in json.loads(answer.body)["results"]] == ["refused", "accepted", "refused"]


@pytest.mark.parametrize(
    ("path", "wrap", "most"), [("/events", an_array, LIMITS.array), ("/events/batch", a_batch, LIMITS.batch)]
)
@pytest.mark.parametrize("flaw", [b"", b',"value":NaN'])
async def test_more_than_the_limit_is_refused_with_the_limit(
    world: World, path: str, wrap: Callable[..., bytes], most: int, flaw: bytes
) -> None:
    record = b'{"type":"view"' + flaw + b"}"

    enough = await world.post(wrap(VIEW, *[record] * (most - 1)), path)
    too_many = await world.post(wrap(VIEW, *[record] * most), path)

    assert enough.status == 202
    assert (too_many.status, error_of(too_many)["code"], error_of(too_many)["limit"]) == (413, "too_many", most)
    assert str(most) in error_of(too_many)["message"]


async def test_millions_of_records_are_refused_without_making_them() -> None:
    world = World(limits=IngestLimits(array=2000, batch=100, body=8 * 1024**2))

    body = b"[" + b"1," * 4_000_000 + b"1]"
    tracemalloc.start()
    answer = await world.post(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status, error_of(answer)["code"]) == (413, "too_many")
    assert most < 6 * len(body)


async def test_an_activity_has_at_most_64_kib(world: World) -> None:
    frame = len(b'{"type":"view","user_id":""}')
    large, too_large = (
        b'{"type":"view","other":"%s"}' % (b"a" * (LARGEST_ACTIVITY - frame + 2 + extra)) for extra in (0, 1)
    )

    alone = await world.post(too_large)
    among_others = await world.post(an_array(VIEW, too_large, large))

    assert (alone.status, error_of(alone)["code"], error_of(alone)["limit"]) == (413, "too_large", LARGEST_ACTIVITY)
    assert [result["status"] for result in json.loads(among_others.body)["results"]] == [
        "accepted",
        "refused",
        "accepted",
    ]
    assert json.loads(among_others.body)["results"][1]["error"]["code"] == "too_large"
    assert world.queue.appends == 1


@pytest.mark.parametrize("pieces", [1, 5])
async def test_a_body_has_its_limit_with_and_without_a_length(world: World, pieces: int) -> None:
    body = b" " * LIMITS.body + VIEW

    announced = await world.post(body, "/events", JSON, (b"content-length", b"%d" % len(body)), pieces=0)
    chunked = await world.post(body, pieces=pieces)

    for answer in (announced, chunked):
        assert (answer.status, error_of(answer)["code"], error_of(answer)["limit"]) == (413, "too_large", LIMITS.body)


async def test_a_body_may_come_in_pieces(world: World) -> None:
    assert (await world.post(an_array(VIEW, VIEW), pieces=7)).status == 202
    assert world.taken == ["view", "view"]


@pytest.mark.parametrize(
    "kind",
    [
        b"application/json",
        b"Application/JSON",
        b"application/json; charset=utf-8",
        b'application/json;charset="UTF-8"',
        b"application/json; a=b",
    ],
)
async def test_json_may_be_announced_in_these_ways(world: World, kind: bytes) -> None:
    assert (await world.post(VIEW, "/events", (b"content-type", kind))).status == 202


@pytest.mark.parametrize(
    "kind",
    [
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"",
        b"application/json; charset=latin-1",
        b"application/jsonx",
        b"application/ld+json",
    ],
)
@pytest.mark.parametrize("path", ["/events", "/events/batch"])
async def test_a_wrong_content_type_is_415(world: World, path: str, kind: bytes) -> None:
    answer = await world.post(a_batch(VIEW), path, (b"content-type", kind))

    assert (answer.status, error_of(answer)["code"]) == (415, "unsupported_media_type")
    assert "application/json" in error_of(answer)["message"]


async def test_a_missing_content_type_is_415(world: World) -> None:
    answer = await world.post(VIEW, "/events", (b"x", b"y"))

    assert (answer.status, error_of(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("length", "status"), [(b"abc", 400), (b"-1", 400), (b"14", 400), (b"16", 400), (b"15", 202)])
async def test_a_content_length_that_is_not_true_is_400(world: World, length: bytes, status: int) -> None:
    answer = await world.post(VIEW, "/events", JSON, (b"content-length", length))

    assert answer.status == status
    assert len(world.taken) == (status == 202)


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"x-gzip"])
async def test_a_body_may_come_in_gzip(world: World, coding: bytes) -> None:
    packed = gzip.compress(an_array(*[VIEW] * 20), mtime=0)

    answer = await world.post(packed, "/events", JSON, (b"content-encoding", coding))

    assert (answer.status, len(world.taken)) == (202, 20)


async def test_identity_is_no_coding(world: World) -> None:
    assert (await world.post(VIEW, "/events", JSON, (b"content-encoding", b"identity"))).status == 202


@pytest.mark.parametrize("size", [LIMITS.body + 1, 10 * LIMITS.body])
async def test_gzip_of_more_than_the_limit_is_413_without_being_unpacked(world: World, size: int) -> None:
    packing = zlib.compressobj(9, wbits=31)
    packed = b"".join(packing.compress(b" " * (size // 100)) for _ in range(101)) + packing.flush()

    answer = await world.post(packed[: LIMITS.body], "/events", JSON, GZIP)

    assert (answer.status, error_of(answer)["code"], error_of(answer)["limit"]) == (413, "too_large", LIMITS.body)
    assert "after unpacking" in error_of(answer)["message"]


PACKED = gzip.compress(an_array(*[VIEW] * 20), mtime=0)


@pytest.mark.parametrize(
    "packed",
    [
        PACKED[:-1],
        PACKED[:20],
        PACKED[:5],
        b"",
        PACKED[:-8] + b"\0" * 8,
        PACKED[:15] + b"\xff\xff" + PACKED[17:],
        PACKED + b"x",
        PACKED + b"\0\0",
        PACKED + PACKED[:-1],
        VIEW,
    ],
)
async def test_gzip_that_is_damaged_or_cut_or_goes_on_is_400(world: World, packed: bytes) -> None:
    answer = await world.post(packed, "/events", JSON, GZIP)

    assert (answer.status, error_of(answer)["code"]) == (400, "invalid_gzip")
    assert world.taken == []


async def test_gzip_of_several_members_is_one_body(world: World) -> None:
    members = b"".join(gzip.compress(part, mtime=0) for part in (b'[{"type":"view"}', b"", b',{"type":"buy"}]'))

    answer = await world.post(members, "/events", JSON, GZIP)

    assert answer.status == 202
    assert world.taken == ["view", "buy"]


async def test_gzip_of_more_members_than_anybody_makes_is_400(world: World) -> None:
    empty = gzip.compress(b"", mtime=0)

    enough = await world.post(empty * (MOST_MEMBERS - 1) + gzip.compress(VIEW), "/events", JSON, GZIP)
    too_many = await world.post(empty * MOST_MEMBERS + gzip.compress(VIEW), "/events", JSON, GZIP)

    assert (enough.status, too_many.status, error_of(too_many)["code"]) == (202, 400, "invalid_gzip")


async def test_a_body_whose_unpacking_takes_too_long_is_413() -> None:
    world = World(limits=replace(LIMITS, unpacking=0.0))

    answer = await world.post(gzip.compress(b" ", mtime=0), "/events", JSON, GZIP)

    assert (answer.status, error_of(answer)["code"]) == (413, "too_slow_to_unpack")
    assert world.taken == []


@pytest.mark.parametrize("coding", [b"br", b"gzip, gzip", b"deflate", b"zstd"])
async def test_other_codings_are_415(world: World, coding: bytes) -> None:
    answer = await world.post(VIEW, "/events", JSON, (b"content-encoding", coding))

    assert (answer.status, error_of(answer)["code"]) == (415, "unsupported_encoding")
