"""Documents that are packed: `.gz` files by their first bytes, once more on the way, well, too well, or with a rest."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.providers.contract import a_plan
from app.adapters.outbound.providers.fetching.fetched_feed import MIB, FetchLimits
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.providers.recorded import RecordedProvider
from app.application.ports.providers import FeedError, FeedRefusedError, FeedUnavailableError, Provider
from app.domain.feeds import PlanRecord
from tests.support.feed_server import FeedServer, answer, trickle
from tests.support.feeds import a_feed
from tests.support.fetched import fetched, newest_mark

PLANS = [a_plan("1"), a_plan("2")]
FEED = a_feed(PLANS)
GZ = gzip.compress(FEED, mtime=0)
SEASON = a_feed([a_plan(str(night), title="The long run") for night in range(6_000)])
"""Evenings that differ in their ids alone."""


def over_http(url: str, limits: FetchLimits) -> Provider:
    get = PinnedGet(limits=limits, policy=AddressPolicy(allow_private_networks=True))
    return PlanListXmlProvider(name="contract", url=url, timezone="Europe/Madrid", get=get)


def from_file(path: Path, limits: FetchLimits) -> Provider:
    get = PinnedGet(limits=limits)
    return PlanListXmlProvider(name="contract", url=path.as_uri(), timezone="Europe/Madrid", get=get)


def recorded(path: Path, limits: FetchLimits) -> Provider:
    return RecordedProvider(name="contract", files=[path], timezone="Europe/Madrid", limits=limits)


FROM_FILES = [from_file, recorded]


async def plans_of(provider: Provider) -> list[object]:
    snapshot = await fetched(provider)
    try:
        records = [record async for batch in snapshot.records() for record in batch]
    finally:
        await snapshot.aclose()
    return [record.plan for record in records if isinstance(record, PlanRecord)]


def deflated(body: bytes) -> bytes:
    return zlib.compress(body)


PACKED = {
    "a file": (GZ, {}),
    "a file, packed on its way": (gzip.compress(GZ), {"Content_Encoding": "gzip"}),
    "a file, deflated on its way": (deflated(GZ), {"Content_Encoding": "deflate"}),
    "a file that says what it is": (GZ, {"Content_Type": "application/gzip"}),
    "a file of several members": (gzip.compress(FEED[:99]) + gzip.compress(FEED[99:]), {}),
    "zeros behind a file": (GZ + bytes(1_000), {}),
    "zeros between members": (gzip.compress(FEED[:99]) + bytes(512) + gzip.compress(FEED[99:]) + bytes(9), {}),
    "zeros behind a body": (GZ + bytes(1_000), {"Content_Encoding": "gzip"}),
    "zeros behind a deflated body": (deflated(FEED) + bytes(9), {"Content_Encoding": "deflate"}),
    "zeros behind both": (gzip.compress(GZ + bytes(999)) + bytes(999), {"Content_Encoding": "gzip"}),
}


@pytest.mark.parametrize("kind", PACKED)
async def test_what_is_packed_is_read_over_http_whatever_it_is_called(kind: str):
    body, headers = PACKED[kind]
    with FeedServer(answer(200, body, **headers)) as server:
        assert await plans_of(over_http(server.url, FetchLimits())) == PLANS


async def test_what_is_packed_is_read_wherever_its_pieces_end():
    with FeedServer() as server:
        for size in (1, 2, 3, 7):
            server.answers(trickle(GZ + bytes(5), piece=size, every=0))
            assert await plans_of(over_http(server.url, FetchLimits())) == PLANS


@pytest.mark.parametrize("provider", FROM_FILES)
@pytest.mark.parametrize("rest", [b"", bytes(1_000)])
async def test_what_is_packed_is_read_from_a_file_whatever_it_is_called(
    provider: Callable[[Path, FetchLimits], Provider], rest: bytes, tmp_path: Path
):
    (tmp_path / "feed.xml").write_bytes(GZ + rest)

    assert await plans_of(provider(tmp_path / "feed.xml", FetchLimits())) == PLANS


async def test_a_file_that_is_packed_anew_says_the_same(tmp_path: Path):
    path = tmp_path / "feed.xml.gz"
    path.write_bytes(gzip.compress(FEED, 9))
    provider = from_file(path, FetchLimits())
    snapshot = await fetched(provider)
    await snapshot.aclose()

    path.write_bytes(gzip.compress(FEED, 1))

    assert (await newest_mark(provider, snapshot.mark)).content == snapshot.mark.content


CUT = {
    "in the middle": GZ[:-20],
    "behind the head": GZ[:10],
    "in the head": GZ[:1],
    "with a rest": GZ + b"rest",
    "with a rest behind zeros": GZ + bytes(99) + b"rest",
}


@pytest.mark.parametrize("how", CUT)
async def test_what_is_cut_or_goes_on_otherwise_is_unavailable(how: str, tmp_path: Path):
    body = CUT[how]
    (tmp_path / "feed.xml").write_bytes(body)
    with FeedServer(answer(200, body)) as server:
        providers = [over_http(server.url, FetchLimits())]
        if len(body) > 1:  # a file of one byte is read as it is
            providers.append(from_file(tmp_path / "feed.xml", FetchLimits()))
        for provider in providers:
            with pytest.raises(FeedUnavailableError, match="gzip"):
                await provider.fetch(None)


async def test_a_season_that_is_packed_far_better_than_100_to_1_is_read():
    packed = gzip.compress(SEASON, 9)
    twice = gzip.compress(packed, 9)

    assert len(SEASON) > 100 * len(twice)
    with FeedServer(answer(200, twice, Content_Encoding="gzip")) as server:
        assert len(await plans_of(over_http(server.url, FetchLimits()))) == 6_000


BLANKS = gzip.compress(bytes(3 * MIB), 9)
BOMBS = {
    "a body": (BLANKS, {"Content_Encoding": "gzip"}),
    "a file": (BLANKS, {}),
    "a file in a body": (gzip.compress(BLANKS), {"Content_Encoding": "gzip"}),
    "zeros behind a file in a body": (gzip.compress(GZ + bytes(3 * MIB)), {"Content_Encoding": "gzip"}),
}
"""Harmless ones: three MiB, with limits that are as small."""


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (FetchLimits(ratio_counts_from=MIB), "expected a compression of at most 1:250"),
        (FetchLimits(max_decoded_bytes=2 * MIB), "expected at most 2,097,152 bytes after decompression"),
    ],
)
async def test_what_is_packed_too_well_is_refused_by_its_size_and_by_its_ratio(
    kind: str, limits: FetchLimits, words: str
):
    body, headers = BOMBS[kind]
    with FeedServer(answer(200, body, **headers)) as server, pytest.raises(FeedRefusedError, match=words):
        await over_http(server.url, limits).fetch(None)


@pytest.mark.parametrize("provider", FROM_FILES)
async def test_what_is_packed_too_well_in_a_file_is_refused(
    provider: Callable[[Path, FetchLimits], Provider], tmp_path: Path
):
    (tmp_path / "feed.xml").write_bytes(BLANKS)

    for limits in (FetchLimits(ratio_counts_from=MIB), FetchLimits(max_decoded_bytes=2 * MIB)):
        with pytest.raises(FeedRefusedError, match=r"compression of at most|after decompression"):
            await provider(tmp_path / "feed.xml", limits).fetch(None)


async def test_a_document_that_is_packed_three_times_is_none():
    packed = answer(200, gzip.compress(gzip.compress(GZ)), Content_Encoding="gzip")
    with FeedServer(packed) as server, pytest.raises(FeedError, match="expected a document"):
        await plans_of(over_http(server.url, FetchLimits()))
