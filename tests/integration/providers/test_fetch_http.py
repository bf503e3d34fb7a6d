"""Fetching over HTTP, from a real server that misbehaves in every way that providers do."""

import asyncio
import gzip
import logging
import socket
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from app.adapters.egress.addresses import AddressPolicy, AddressRefusedError, Resolver
from app.adapters.outbound.providers.contract import RecordingWatcher, a_plan
from app.adapters.outbound.providers.fetching.fetched_feed import MIB, FetchLimits
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import (
    FeedBrokenError,
    FeedError,
    FeedRefusedError,
    FeedSnapshot,
    FeedUnavailableError,
)
from app.domain.feeds import FeedRecord, PlanRecord
from tests.support.feed_server import (
    Answer,
    FeedServer,
    answer,
    cut,
    deflated,
    falling_silent,
    packed_blanks,
    redirect,
    silence,
    trickle,
    validating,
    zipped,
)
from tests.support.feeds import a_feed
from tests.support.fetched import fetched, newest_mark

PLANS = [a_plan("1"), a_plan("2")]
FEED = a_feed(PLANS)
QUICK = FetchLimits(connect_timeout=1, idle_timeout=0.3, total_timeout=5)
CERTIFICATE = Path(__file__).parents[2] / "data" / "localhost.pem"
"""For the name `localhost` alone, with its key; trusted by nobody but these tests."""


def a_provider(
    url: str,
    *,
    limits: FetchLimits = QUICK,
    policy: AddressPolicy | None = None,
    resolver: Resolver | None = None,
    trusted: ssl.SSLContext | None = None,
) -> PlanListXmlProvider:
    policy = policy or AddressPolicy(allow_private_networks=True)
    get = PinnedGet(limits=limits, policy=policy, trusted=trusted)
    if resolver:
        get = PinnedGet(limits=limits, policy=policy, trusted=trusted, resolver=resolver)
    return PlanListXmlProvider(name="contract", url=url, timezone="Europe/Madrid", get=get)


def hosts(**addresses: str) -> Resolver:
    """Resolve these names and no other ones; a name's dots are given as underscores. An address is its own."""

    async def resolve(host: str, _: int) -> Sequence[str]:
        if host.replace(".", "_") in addresses:
            return addresses[host.replace(".", "_")].split()
        try:
            return [str(ip_address(host))]
        except ValueError:
            raise socket.gaierror(f"{host} is not known here") from None

    return resolve


async def fetch(provider: PlanListXmlProvider) -> FeedSnapshot:
    return await fetched(provider)


async def all_of(snapshot: FeedSnapshot) -> list[FeedRecord]:
    try:
        return [record async for batch in snapshot.records() for record in batch]
    finally:
        await snapshot.aclose()


async def plans_of(provider: PlanListXmlProvider) -> list[object]:
    return [record.plan for record in await all_of(await fetch(provider)) if isinstance(record, PlanRecord)]


async def failure_of(first: Answer, *, limits: FetchLimits = QUICK) -> FeedError:
    """Fetch and read from a server that gives this answer; the failure names the URL."""
    with FeedServer(first) as server:
        with pytest.raises(FeedError) as caught:
            await plans_of(a_provider(server.url, limits=limits))
        assert server.url in str(caught.value)
    return caught.value


@pytest.mark.parametrize("sent", [answer(200, FEED), zipped(FEED), deflated(FEED), deflated(FEED, raw=True)])
async def test_a_feed_is_read_however_it_is_compressed(sent: Answer):
    with FeedServer(sent) as server:
        assert await plans_of(a_provider(server.url)) == PLANS

        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate, identity"


async def test_a_feed_of_several_gzip_members_is_one_feed():
    members = gzip.compress(FEED[:100]) + gzip.compress(FEED[100:])

    with FeedServer(answer(200, members, Content_Encoding="gzip")) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(FEED, mtime=0)), ("deflate", zlib.compress(FEED)), ("deflate", zlib.compress(FEED)[2:-4])],
)
async def test_a_compressed_feed_that_comes_byte_by_byte_is_one_feed(encoding: str, body: bytes):
    with FeedServer(trickle(body, piece=1, every=0, Content_Encoding=encoding)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


async def test_a_cut_compressed_feed_is_unavailable():
    half = gzip.compress(FEED)[:-20]

    error = await failure_of(answer(200, half, Content_Encoding="gzip"))

    assert isinstance(error, FeedUnavailableError)
    assert "ends in the middle" in str(error)


async def test_a_body_that_is_not_compressed_as_announced_is_unavailable():
    error = await failure_of(answer(200, FEED, Content_Encoding="gzip"))

    assert isinstance(error, FeedUnavailableError)
    assert "expected a body in gzip" in str(error)


async def test_an_encoding_that_was_not_asked_for_is_refused():
    error = await failure_of(answer(200, FEED, Content_Encoding="br"))

    assert isinstance(error, FeedRefusedError)
    assert "'br'" in str(error)


async def test_what_is_compressed_beyond_measure_is_refused_in_little_memory_and_time():
    began = time.monotonic()
    tracemalloc.start()
    try:
        error = await failure_of(packed_blanks(48 * MIB), limits=FetchLimits(idle_timeout=30, ratio_counts_from=MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(error, FeedRefusedError)
    assert "compression of at most 1:250" in str(error)
    assert peak < 16 * MIB
    assert time.monotonic() - began < 20


async def test_what_is_compressed_as_allowed_is_refused_in_little_memory_by_its_size():
    tracemalloc.start()
    try:
        limits = FetchLimits(max_decoded_bytes=32 * MIB, max_ratio=10_000)
        error = await failure_of(packed_blanks(48 * MIB), limits=limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert "33,554,432 bytes after decompression" in str(error)
    assert peak < 16 * MIB


async def test_more_decoded_bytes_than_allowed_are_refused():
    limits = FetchLimits(max_decoded_bytes=10_000, max_ratio=10_000)

    error = await failure_of(zipped(FEED * 100), limits=limits)

    assert isinstance(error, FeedRefusedError)
    assert "at most 10,000 bytes after decompression" in str(error)


async def test_more_bytes_than_allowed_are_refused_while_they_come():
    limits = FetchLimits(max_wire_bytes=10_000)

    error = await failure_of(cut(FEED * 100, announce=None), limits=limits)

    assert isinstance(error, FeedRefusedError)
    assert "at most 10,000 bytes" in str(error)


async def test_more_bytes_than_allowed_are_refused_when_they_are_announced():
    error = await failure_of(cut(b"", announce=10**12))

    assert isinstance(error, FeedRefusedError)
    assert "1,000,000,000,000" in str(error)


async def test_a_body_shorter_than_announced_is_unavailable_and_nothing_of_it_is_read():
    error = await failure_of(cut(FEED[: len(FEED) // 2], announce=len(FEED)))

    assert isinstance(error, FeedUnavailableError)


async def test_a_feed_cut_in_the_middle_without_announced_length_gives_what_came_before():
    with FeedServer(cut(FEED[:-60], announce=None)) as server:
        snapshot = await fetch(a_provider(server.url))
        batches = snapshot.records()

        first = await anext(batches)
        with pytest.raises(FeedBrokenError) as caught:
            await anext(batches)
        await snapshot.aclose()

    assert [record.plan for record in first if isinstance(record, PlanRecord)] == PLANS[:1]
    assert caught.value.line > 3
    assert server.url in str(caught.value)


async def test_silence_is_unavailable_after_the_idle_timeout():
    for quiet in (silence(), falling_silent(FEED)):
        error = await failure_of(quiet)

        assert isinstance(error, FeedUnavailableError)
        assert "nothing came for 0.3 s" in str(error)


async def test_a_slow_trickle_is_unavailable_after_the_total_timeout():
    limits = FetchLimits(idle_timeout=5, total_timeout=0.5)

    error = await failure_of(trickle(FEED, piece=1, every=0.02), limits=limits)

    assert isinstance(error, FeedUnavailableError)
    assert "within 0.5 s" in str(error)


async def test_a_refused_connection_is_unavailable():
    with FeedServer(answer(200, FEED)) as server:
        url = server.url

    with pytest.raises(FeedUnavailableError) as caught:
        await a_provider(url).fetch(None)

    assert url in str(caught.value)


async def test_a_host_without_addresses_is_unavailable():
    provider = a_provider("http://feeds.example/a.xml", resolver=hosts())

    with pytest.raises(FeedUnavailableError, match=r"feeds\.example"):
        await provider.fetch(None)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
async def test_a_status_that_may_pass_is_unavailable(status: int):
    error = await failure_of(answer(status))

    assert isinstance(error, FeedUnavailableError)
    assert f"expected 200, found {status}" in str(error)


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410])
async def test_any_other_status_is_refused(status: int):
    error = await failure_of(answer(status))

    assert isinstance(error, FeedRefusedError)
    assert f"expected 200, found {status}" in str(error)


async def test_retry_after_is_read_as_seconds():
    error = await failure_of(answer(503, Retry_After="7"))

    assert isinstance(error, FeedUnavailableError)
    assert error.retry_after == 7


async def test_retry_after_is_read_as_a_date():
    at = datetime.now(UTC) + timedelta(seconds=90)

    error = await failure_of(answer(429, Retry_After=format_datetime(at, usegmt=True)))

    assert isinstance(error, FeedUnavailableError)
    assert error.retry_after == pytest.approx(90, abs=5)


@pytest.mark.parametrize(
    ("value", "expected"), [("99999999999999999999", 86_400), ("soon", None), ("-5", None), ("0", 0)]
)
async def test_retry_after_is_bounded_and_nonsense_is_none(value: str, expected: float | None):
    error = await failure_of(answer(503, Retry_After=value))

    assert isinstance(error, FeedUnavailableError)
    assert error.retry_after == expected


async def test_an_unchanged_etag_costs_no_body():
    with FeedServer(validating(FEED, '"v1"')) as server:
        provider = a_provider(server.url)
        snapshot = await fetch(provider)
        await all_of(snapshot)

        assert await provider.fetch(snapshot.mark) is None
        assert server.requests[1].headers["if-none-match"] == '"v1"'


async def test_last_modified_is_sent_back():
    at = "Wed, 21 Oct 2026 07:28:00 GMT"
    with FeedServer(answer(200, FEED, Last_Modified=at), answer(304)) as server:
        provider = a_provider(server.url)
        snapshot = await fetch(provider)
        await snapshot.aclose()

        assert await provider.fetch(snapshot.mark) is None
        assert server.requests[1].headers["if-modified-since"] == at


async def test_the_same_body_is_not_read_again():
    with FeedServer(answer(200, FEED, ETag='"1"'), answer(200, FEED, ETag='"2"')) as server:
        provider = a_provider(server.url)
        snapshot = await fetch(provider)
        await snapshot.aclose()

        newest = await newest_mark(provider, snapshot.mark)

        assert newest == replace(snapshot.mark, etag='"2"')
        assert await provider.fetch(newest) is None


async def test_another_time_zone_reads_the_same_body_again():
    with FeedServer(validating(FEED, '"v1"')) as server:
        snapshot = await fetch(a_provider(server.url))
        await snapshot.aclose()
        elsewhere = PlanListXmlProvider(
            name="contract",
            url=server.url,
            timezone="Atlantic/Canary",
            get=PinnedGet(policy=AddressPolicy(allow_private_networks=True)),
        )

        again = await fetched(elsewhere, snapshot.mark)

        await again.aclose()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(status: int):
    with FeedServer(answer(200, FEED)) as target, FeedServer(redirect(target.url, status)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


async def test_a_relative_redirect_is_followed():
    with FeedServer(redirect("/elsewhere?page=2"), answer(200, FEED)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS

        assert server.requests[1].target == "/elsewhere?page=2"


async def test_a_redirect_loop_is_refused():
    with FeedServer(redirect("/feed.xml")) as server:
        with pytest.raises(FeedRefusedError, match="at most 5 redirects"):
            await a_provider(server.url).fetch(None)

        assert len(server.requests) == 6


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://x", "http://[::1", ""])
async def test_a_redirect_to_what_is_no_http_is_refused(to: str):
    first = redirect(to) if to else answer(302)
    with FeedServer(first) as server, pytest.raises(FeedRefusedError, match="expected a redirect"):
        await a_provider(server.url).fetch(None)


async def test_credentials_are_sent_to_the_provider_and_to_nobody_else():
    with FeedServer(answer(200, FEED)) as other:
        with FeedServer(redirect("/b"), redirect(other.url)) as server:
            url = server.url.replace("://", "://me:p%40ss@")
            assert await plans_of(a_provider(url)) == PLANS

        assert server.requests[0].headers["authorization"] == "Basic bWU6cEBzcw=="
        assert server.requests[1].headers["authorization"] == "Basic bWU6cEBzcw=="
        assert "authorization" not in other.requests[0].headers


async def test_secrets_of_a_url_are_in_no_message_and_in_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with FeedServer(redirect("/b?token=s3cret&x=1"), answer(404)) as server:
        url = server.url.replace("://", "://me:s3cret@") + "?key=s3cret#s3cret"
        with pytest.raises(FeedRefusedError) as caught:
            await a_provider(url).fetch(None)

    assert server.requests[0].target == "/feed.xml?key=s3cret"
    assert "feed.xml?key=..." in str(caught.value)
    assert "s3cret" not in str(caught.value) + caplog.text


async def test_a_private_address_is_refused_before_it_is_asked():
    with FeedServer(answer(200, FEED)) as server:
        for url in (server.url, server.url_of("localhost"), server.url_of("2130706433")):
            with pytest.raises(FeedRefusedError, match="allow_private_networks"):
                await a_provider(url, policy=AddressPolicy()).fetch(None)

        assert server.requests == []


async def test_a_redirect_to_a_private_address_is_refused_before_it_is_asked():
    policy = AddressPolicy(allowed_networks=(ip_network("127.0.0.1/32"),))
    with FeedServer(answer(200, FEED)) as server:
        for private in ("127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.3]", "intra.example"):
            server.answers(redirect(f"http://{private}:{server.port}/"))
            provider = a_provider(server.url, policy=policy, resolver=hosts(intra_example="192.168.7.7"))
            with pytest.raises(FeedRefusedError, match="expected a public one"):
                await provider.fetch(None)

        assert {request.target for request in server.requests} == {"/feed.xml"}


async def test_one_private_address_among_public_ones_is_enough_to_refuse():
    provider = a_provider(
        "http://feeds.example/", policy=AddressPolicy(), resolver=hosts(feeds_example="93.184.215.14 10.0.0.1")
    )

    with pytest.raises(FeedRefusedError, match=r"feeds\.example has the address 10\.0\.0\.1"):
        await provider.fetch(None)


async def test_the_connection_goes_to_the_address_that_was_checked():
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with FeedServer(answer(200, FEED)) as server:
        policy = AddressPolicy(allowed_networks=(ip_network("127.0.0.1/32"),))
        provider = a_provider(server.url_of("feeds.example"), policy=policy, resolver=rebinding)

        assert await plans_of(provider) == PLANS
        assert asked == ["feeds.example"]
        assert server.requests[0].headers["host"] == f"feeds.example:{server.port}"


async def test_the_next_address_is_tried_when_one_takes_no_connection():
    with FeedServer(answer(200, FEED)) as server:
        provider = a_provider(server.url_of("feeds.example"), resolver=hosts(feeds_example="::1 127.0.0.1"))

        assert await plans_of(provider) == PLANS


async def test_the_certificate_is_checked_against_the_name_and_not_the_address():
    trusted = ssl.create_default_context(cafile=CERTIFICATE)
    with FeedServer(answer(200, FEED), tls=_server_tls()) as server:
        assert await plans_of(a_provider(server.url_of("localhost"), trusted=trusted)) == PLANS

        for url in (server.url, server.url_of("feeds.example")):
            provider = a_provider(url, trusted=trusted, resolver=hosts(feeds_example="127.0.0.1"))
            with pytest.raises(FeedUnavailableError, match="certificate"):
                await provider.fetch(None)


async def test_an_untrusted_certificate_is_unavailable():
    with (
        FeedServer(answer(200, FEED), tls=_server_tls()) as server,
        pytest.raises(FeedUnavailableError, match="certificate"),
    ):
        await a_provider(server.url_of("localhost")).fetch(None)


async def test_a_redirect_from_https_to_http_is_refused():
    trusted = ssl.create_default_context(cafile=CERTIFICATE)
    with (
        FeedServer(answer(200, FEED)) as plain,
        FeedServer(redirect(plain.url), tls=_server_tls()) as server,
    ):
        with pytest.raises(FeedRefusedError, match="expected https to be kept"):
            await a_provider(server.url_of("localhost"), trusted=trusted).fetch(None)

        assert plain.requests == []


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    with FeedServer(answer(200, FEED)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


async def test_a_watcher_sees_the_bytes_as_they_come():
    watcher = RecordingWatcher()
    with FeedServer(trickle(FEED, piece=len(FEED) // 3, every=0.01)) as server:
        snapshot = await fetched(a_provider(server.url), None, watcher)
        await snapshot.aclose()

    assert len(watcher.received) > 1
    assert watcher.received[-1] == snapshot.fetched_bytes == len(FEED)


async def test_a_cancelled_fetch_ends_at_once():
    with FeedServer(silence()) as server:
        task = asyncio.create_task(a_provider(server.url, limits=FetchLimits()).fetch(None))
        await asyncio.sleep(0.1)

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::", "::ffff:0:0"),
        *("192.0.0.8", "192.0.0.10", "192.0.0.170", "192.0.0.192", "192.88.99.1", "168.63.129.16"),
        *("3fff::1", "5f00::1", "100::1", "64:ff9b:1::1", "::ffff:168.63.129.16", "64:ff9b::192.0.0.192"),
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str):
    with pytest.raises(AddressRefusedError):
        AddressPolicy().check("feeds.example", [address])

    assert AddressPolicy(allow_private_networks=True).check("feeds.example", [address])


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "2606:4700::1111",
        "::ffff:93.184.215.14",
        "64:ff9b::93.184.215.14",
        "168.63.129.17",
        "192.0.1.1",
    ],
)
def test_a_public_address_is_allowed(address: str):
    assert AddressPolicy().check("feeds.example", [address])


@pytest.mark.parametrize("url", ["ftp://feeds.example/", "feeds.example", "http://", "http://[::1/"])
def test_a_url_that_cannot_be_fetched_is_known_at_the_start(url: str):
    with pytest.raises(ValueError, match="expected a URL"):
        PlanListXmlProvider(name="x", url=url, timezone="UTC")


def _server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
