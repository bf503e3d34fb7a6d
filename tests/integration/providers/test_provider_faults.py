"""What a server can still do wrong on the wire, beyond test_fetch_http; and patience with one over real sockets."""

import asyncio
import gzip
import os
import socket
import stat
import sys
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.providers.contract import a_plan
from app.adapters.outbound.providers.fetching.fetched_feed import MIB, FetchLimits
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.resilience.circuit_breaker import BreakerPolicy
from app.adapters.outbound.resilience.resilient_provider import ResilientProvider, RetryPolicy
from app.application.ports.providers import (
    CircuitOpenError,
    FeedError,
    FeedRefusedError,
    FeedUnavailableError,
    Provider,
)
from app.application.ports.system import CircuitState
from app.domain.feeds import PlanRecord
from tests.support.faulty_server import after, chunked, endless, flood, head, raw, reset, trickled
from tests.support.feed_server import (
    Answer,
    FeedServer,
    answer,
    cut,
    falling_silent,
    redirect,
    silence,
    validating,
    zipped,
)
from tests.support.feeds import a_feed
from tests.support.fetched import fetched

PLANS = [a_plan("1"), a_plan("2")]
FEED = a_feed(PLANS)
QUICK = FetchLimits(connect_timeout=1, idle_timeout=0.3, total_timeout=10)
T = TypeVar("T")
AT_ONCE = RetryPolicy(attempts=3, initial=0.001)


def a_provider(url: str, *, limits: FetchLimits = QUICK) -> PlanListXmlProvider:
    get = PinnedGet(limits=limits, policy=AddressPolicy(allow_private_networks=True))
    return PlanListXmlProvider(name="contract", url=url, timezone="Europe/Madrid", get=get)


def patient(
    url: str,
    states: MemoryCircuitStates,
    *,
    limits: FetchLimits = QUICK,
    failures: int = 99,
    reset_after: float = 60,
) -> ResilientProvider:
    policy = BreakerPolicy(failures=failures, reset_after=reset_after)
    return ResilientProvider(
        a_provider(url, limits=limits), name="contract", states=states, retry=AT_ONCE, breaker=policy
    )


async def plans_of(provider: Provider) -> list[object]:
    snapshot = await fetched(provider)
    try:
        records = [record async for batch in snapshot.records() for record in batch]
    finally:
        await snapshot.aclose()
    return [record.plan for record in records if isinstance(record, PlanRecord)]


async def failure_of(first: Answer, *, limits: FetchLimits = QUICK) -> FeedError:
    """Fetch and read from a server that gives this answer first; the failure names the URL."""
    with FeedServer(first) as server:
        with pytest.raises(FeedError) as caught:
            await plans_of(a_provider(server.url, limits=limits))
        assert server.url in str(caught.value)
    return caught.value


async def test_a_feed_in_chunks_is_one_feed():
    with FeedServer(chunked(FEED, size=7)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


@pytest.mark.parametrize("end", [b"", b"0\r\n", b"64\r\n<base_plan", b"64\r\n"])
async def test_a_feed_whose_chunks_are_cut_is_unavailable(end: bytes):
    error = await failure_of(chunked(FEED, end=end))

    assert isinstance(error, FeedUnavailableError)
    assert "ended too early" in str(error)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        FEED,
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        head("Transfer-Encoding: chunked") + b"F" * 30 + b"\r\n",
        head("Transfer-Encoding: chunked") + b"-5\r\n" + FEED,
        head("Transfer-Encoding: gzip") + FEED,
        head("Content-Length: -5") + FEED,
        head("Content-Length: 5", "Content-Length: 7") + FEED,
        head("Content-Length: " + "9" * 5_000) + FEED,
        head("X: a\0b") + FEED,
        head("X: " + "x" * 300_000) + FEED,
        head(*["X: x"] * 100_000) + FEED,
        head("Upgrade: x", status=101),
    ],
    ids=lambda sent: repr(sent[:60]),
)
async def test_an_answer_that_is_none_of_http_is_unavailable(sent: bytes):
    error = await failure_of(raw(sent))

    assert isinstance(error, FeedUnavailableError)
    assert "none of HTTP" in str(error)
    assert len(str(error)) < 500


async def test_what_follows_the_announced_length_is_not_read():
    with FeedServer(raw(head(f"Content-Length: {len(FEED)}") + FEED + b"<planList/>")) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


async def test_early_hints_are_passed_over():
    hints = head("Link: </style.css>", status=103) * 3

    with FeedServer(raw(hints + head(f"Content-Length: {len(FEED)}") + FEED)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


async def test_a_connection_that_is_reset_in_the_body_is_unavailable():
    error = await failure_of(reset(FEED))

    assert isinstance(error, FeedUnavailableError)


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip", " gzip "])
async def test_gzip_is_known_by_all_its_names(encoding: str):
    with FeedServer(answer(200, gzip.compress(FEED), Content_Encoding=encoding)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


@pytest.mark.parametrize("encoding", ["gzip, gzip", "zstd", "\xff\xfe", "x" * 5_000])
async def test_an_encoding_within_another_or_unknown_is_refused(encoding: str):
    error = await failure_of(answer(200, FEED, Content_Encoding=encoding))

    assert isinstance(error, FeedRefusedError)
    assert "Content-Encoding" in str(error)
    assert len(str(error)) < 300


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_empty_body_is_refused_as_no_feed(encoding: str):
    error = await failure_of(answer(200, b"", Content_Encoding=encoding))

    assert isinstance(error, FeedRefusedError)
    assert "found an empty document" in str(error)


async def test_a_page_for_people_with_status_200_is_refused_as_no_feed():
    error = await failure_of(answer(200, "<!doctype html><title>Back soon<br>", Content_Type="application/xml"))

    assert isinstance(error, FeedRefusedError)
    assert "found html" in str(error)


@pytest.mark.parametrize(
    "slow",
    [
        trickled(head() + FEED, every=0.05),
        trickled(head(status=103) * 100, every=0.05),
        flood(b"", head("Link: x", status=103) * 50),
        after(0.2, redirect("/again")),
        endless("Content-Encoding: gzip", piece=gzip.compress(b"", mtime=0) * 200),
    ],
    ids=["a head in single bytes", "a hint in single bytes", "hints for ever", "slow redirects", "empty gzip members"],
)
async def test_an_answer_that_never_comes_to_its_end_is_unavailable_after_the_total_timeout(slow: Answer):
    began = time.monotonic()

    error = await failure_of(slow, limits=FetchLimits(idle_timeout=5, total_timeout=0.8))

    assert isinstance(error, FeedUnavailableError)
    assert "within 0.8 s" in str(error)
    assert time.monotonic() - began < 5


async def test_silence_in_place_of_a_tls_handshake_is_unavailable_after_the_connect_timeout():
    with FeedServer(silence()) as server, pytest.raises(FeedUnavailableError, match=r"no connection within 0\.3 s"):
        await a_provider(server.url.replace("http:", "https:"), limits=FetchLimits(connect_timeout=0.3)).fetch(None)


async def test_the_body_of_a_redirect_is_not_waited_for():
    with FeedServer(endless("Location: /b", status=302), answer(200, FEED)) as server:
        assert await plans_of(a_provider(server.url)) == PLANS


@pytest.mark.parametrize(("status", "kind"), [(404, FeedRefusedError), (503, FeedUnavailableError)])
async def test_the_body_of_a_failure_is_not_waited_for(status: int, kind: type[FeedError]):
    error = await failure_of(endless(status=status))

    assert isinstance(error, kind)
    assert f"found {status}" in str(error)


async def test_a_body_without_an_end_is_refused_at_the_limit():
    error = await failure_of(endless(), limits=FetchLimits(max_wire_bytes=2 * MIB))

    assert isinstance(error, FeedRefusedError)
    assert "at most 2,097,152 bytes" in str(error)


def _deflated_blanks(wbits: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=wbits)
    return b"".join(compressor.compress(bytes(MIB)) for _ in range(48)) + compressor.flush()


TOO_WELL_PACKED = {
    "gzip": lambda: _deflated_blanks(16 + zlib.MAX_WBITS),
    "gzip members": lambda: gzip.compress(bytes(MIB)) * 48,
    "deflate": lambda: _deflated_blanks(zlib.MAX_WBITS),
    "raw deflate": lambda: _deflated_blanks(-zlib.MAX_WBITS),
}
"""As tight as deflate can be: what one read of the socket brings stands for more memory than the test allows."""


@pytest.mark.parametrize("kind", TOO_WELL_PACKED)
async def test_what_is_packed_too_well_is_refused_in_little_memory_of_the_process(kind: str, tmp_path: Path):
    """The memory of a whole child process, so that what zlib and httpx take for themselves counts, too."""
    encoding = "deflate" if "deflate" in kind else "gzip"
    with FeedServer(answer(200, TOO_WELL_PACKED[kind](), Content_Encoding=encoding)) as server:
        said, grown = await _in_a_child(server.url, tmp_path)

    assert "FeedRefusedError" in said
    assert "compression of at most 1:250" in said
    assert grown < 16 * MIB
    assert not any(os.scandir(tmp_path))


async def _in_a_child(url: str, folder: Path) -> tuple[str, int]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, url, stdout=asyncio.subprocess.PIPE, env=os.environ | {"TMPDIR": str(folder)}
    )
    try:
        async with asyncio.timeout(30):
            output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    said, grown = output.decode().splitlines()
    return said, int(grown)


_CHILD = """
import asyncio, sys
from pathlib import Path
from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import FeedError

def highest():
    # Not ru_maxrss: a child inherits that of its parent.
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024

async def main():
    limits = FetchLimits(ratio_counts_from=1024 * 1024)
    get = PinnedGet(limits=limits, policy=AddressPolicy(allow_private_networks=True))
    get.send._tls  # certificates are loaded once and are no part of a fetch
    provider = PlanListXmlProvider(name="demo", url=sys.argv[1], timezone="UTC", get=get)
    before = highest()
    try:
        await provider.fetch(None)
        print("fetched")
    except FeedError as error:
        print(type(error).__name__, error)
    print(highest() - before)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "failing",
    [
        answer(404),
        cut(FEED, announce=2 * len(FEED)),
        falling_silent(FEED),
        answer(200, FEED, Content_Encoding="gzip"),
        redirect("file:///etc/passwd"),
    ],
    ids=["404", "cut", "silence", "not gzip", "a redirect to a file"],
)
async def test_a_fetch_that_failed_holds_no_file_and_no_connection(failing: Answer):
    with FeedServer(answer(200, FEED), failing) as server:
        provider = a_provider(server.url)
        await plans_of(provider)  # what a process opens once is open now
        before = _open_in_this_client(server)

        with pytest.raises(FeedError):
            await provider.fetch(None)

        assert _open_in_this_client(server) == before


async def test_a_fetch_that_was_cancelled_in_the_body_holds_no_file_and_no_connection():
    with FeedServer(answer(200, FEED), falling_silent(FEED)) as server:
        provider = a_provider(server.url, limits=FetchLimits())
        await plans_of(provider)
        before = _open_in_this_client(server)
        task = asyncio.create_task(provider.fetch(None))
        await _until(lambda: _connections_to(server) > 0)

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert _open_in_this_client(server) == before


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what happens elsewhere sets no asyncio.Event
            await asyncio.sleep(0.01)


def _open_in_this_client(server: FeedServer) -> tuple[int, int]:
    """Count the temporary files and the connections to the server; the server's own ends are no part of it."""
    folder = tempfile.gettempdir()
    targets = [_or_none(os.readlink, f"/proc/self/fd/{number}") or "" for number in _descriptors()]
    files = sum(target.startswith(folder) and target.endswith(" (deleted)") for target in targets)
    return files, _connections_to(server)


def _connections_to(server: FeedServer) -> int:
    return sum(_or_none(_peer, number) == ("127.0.0.1", server.port) for number in _descriptors())


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]


def _peer(number: int) -> object:
    if not stat.S_ISSOCK(os.fstat(number).st_mode):
        return None
    with socket.socket(fileno=os.dup(number)) as connection:
        return connection.getpeername()


def _or_none(ask: Callable[[T], object], about: T) -> Any:
    """Ask about a descriptor, which may be closed by now, or a socket without a peer."""
    try:
        return ask(about)
    except OSError:
        return None


async def test_validators_go_along_with_a_redirect():
    moved = "/moved.xml"
    with FeedServer(redirect(moved), validating(FEED, '"v1"'), redirect(moved), validating(FEED, '"v1"')) as server:
        provider = a_provider(server.url)
        snapshot = await fetched(provider)
        await snapshot.aclose()

        assert await provider.fetch(snapshot.mark) is None
        assert server.requests[3].target == moved
        assert server.requests[3].headers["if-none-match"] == '"v1"'


async def test_validators_of_another_url_are_not_sent():
    with FeedServer(validating(FEED, '"v1"')) as server:
        snapshot = await fetched(a_provider(server.url))
        await snapshot.aclose()

        again = await fetched(a_provider(server.url + "?page=2"), snapshot.mark)

        await again.aclose()
        assert "if-none-match" not in server.requests[1].headers


async def test_others_are_served_while_a_large_feed_is_fetched_and_read():
    plans = [a_plan(str(number), title=f"Concert {number}") for number in range(8_000)]
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - began)

    with FeedServer(zipped(a_feed(plans))) as server:
        watching = asyncio.create_task(watch())
        began = time.monotonic()
        count = len(await plans_of(a_provider(server.url, limits=FetchLimits())))
        took = time.monotonic() - began
        watching.cancel()

    assert count == 8_000
    assert longest < max(0.3, took * 0.7)  # all of it, if the loop did the work


NON_ASCII = '"caf\xe9"'
"""A valid entity-tag: its characters may be obs-text (RFC 9110, 8.8.3)."""


@pytest.mark.parametrize("header", ["ETag", "Last_Modified"])
async def test_a_validator_that_is_not_ascii_does_not_end_the_syncs_of_a_provider(header: str):
    with FeedServer(answer(200, FEED, **{header: NON_ASCII})) as server:
        provider = a_provider(server.url)
        snapshot = await fetched(provider)
        await snapshot.aclose()

        assert await provider.fetch(snapshot.mark) is None


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2024 99999999999:00:00 GMT"])
async def test_a_retry_after_that_no_calendar_has_is_none(date: str):
    error = await failure_of(answer(503, Retry_After=date))

    assert isinstance(error, FeedUnavailableError)
    assert error.retry_after is None


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:99999/", "http://127.0.0.1:99999999999999999999/", "http://xn--/", "http://xn--a/"]
)
async def test_a_redirect_to_a_host_or_port_that_cannot_be_is_refused(to: str):
    error = await failure_of(redirect(to))

    assert isinstance(error, FeedRefusedError | FeedUnavailableError)


async def _failing(provider: Provider, kind: type[FeedError]) -> FeedError:
    with pytest.raises(kind) as caught:
        await provider.fetch(None)
    return caught.value


@pytest.mark.parametrize(
    "faults", [[answer(500), reset(FEED)], [cut(FEED, announce=2 * len(FEED)), silence()]], ids=["quick", "slow"]
)
async def test_a_server_that_fails_twice_is_read_at_the_third_try(faults: list[Answer]):
    with FeedServer(*faults, answer(200, FEED)) as server:
        assert await plans_of(patient(server.url, MemoryCircuitStates())) == PLANS

        assert len(server.requests) == 3


async def test_the_wait_that_a_server_asks_for_is_kept():
    at: list[float] = []
    with FeedServer(_noting(at, answer(503, Retry_After="1")), _noting(at, answer(200, FEED))) as server:
        assert await plans_of(patient(server.url, MemoryCircuitStates())) == PLANS

    assert at[1] - at[0] >= 1.0


async def test_a_server_that_asks_for_a_longer_wait_than_allowed_is_asked_once():
    with FeedServer(answer(429, Retry_After="31"), answer(200, FEED)) as server:
        error = await _failing(patient(server.url, MemoryCircuitStates()), FeedUnavailableError)

        assert isinstance(error, FeedUnavailableError)
        assert error.retry_after == 31
        assert len(server.requests) == 1


async def test_a_feed_that_is_refused_is_asked_for_once():
    for refused in (answer(404), redirect("file:///etc/passwd"), answer(200, FEED, Content_Encoding="br")):
        with FeedServer(refused, answer(200, FEED)) as server:
            await _failing(patient(server.url, MemoryCircuitStates()), FeedRefusedError)

            assert len(server.requests) == 1


async def test_an_open_circuit_sends_nothing_from_any_provider_that_shares_it():
    states = MemoryCircuitStates()
    with FeedServer(answer(500)) as server:
        opening = await _failing(patient(server.url, states, failures=2), CircuitOpenError)
        elsewhere = [await _failing(patient(server.url, states), CircuitOpenError) for _ in range(3)]

        assert len(server.requests) == 2
    for error in [opening, *elsewhere]:
        assert isinstance(error, CircuitOpenError)
        assert error.retry_after == pytest.approx(60, abs=5)
        assert "found 500" in str(error)


async def test_a_server_that_is_gone_opens_the_circuit_and_its_return_closes_it():
    states = MemoryCircuitStates()
    with FeedServer(answer(200, FEED)) as server:
        there = server.url
        with FeedServer(answer(200, FEED)) as other:
            gone = other.url
        await _failing(patient(gone, states, failures=3), CircuitOpenError)
        await _failing(patient(there, states), CircuitOpenError)
        assert server.requests == []
        opened = await states.load("contract")
        await states.save("contract", replace(opened, opened_at=datetime.now(UTC) - timedelta(seconds=61)))

        plans = await plans_of(patient(there, states))

    assert plans == PLANS
    assert await states.load("contract") == CircuitState("closed")


async def test_a_half_open_circuit_sends_one_request_of_many():
    states = MemoryCircuitStates()
    await states.save("contract", CircuitState("open", 5, datetime.now(UTC) - timedelta(seconds=61), "down"))
    with FeedServer(after(0.1, answer(200, FEED))) as server:
        providers = [patient(server.url, states, limits=FetchLimits(), reset_after=60) for _ in range(3)]

        outcomes = await _outcomes(*(provider.fetch(None) for provider in providers * 10))

        assert len(server.requests) == 1
    refused = [outcome for outcome in outcomes if isinstance(outcome, CircuitOpenError)]
    assert len(refused) == len(outcomes) - 1, outcomes
    assert await states.load("contract") == CircuitState("closed")


async def test_a_fetch_that_was_cancelled_on_the_wire_is_no_failure():
    states = MemoryCircuitStates()
    with FeedServer(silence()) as server:
        for _ in range(3):
            asked = len(server.requests)
            task = asyncio.create_task(patient(server.url, states, failures=1).fetch(None))
            await _until(lambda asked=asked: len(server.requests) > asked)  # type: ignore[misc] # mypy knows no such default
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    assert await states.load("contract") == CircuitState("closed")


async def _outcomes(*fetches: Awaitable[object]) -> list[object]:
    outcomes = await asyncio.gather(*fetches, return_exceptions=True)
    for outcome in outcomes:
        if not isinstance(outcome, BaseException | None):
            await outcome.aclose()  # type: ignore[attr-defined] # a snapshot
    return list(outcomes)


def _noting(times: list[float], then: Answer) -> Answer:
    """Note when the request came."""

    async def send(request: object, writer: asyncio.StreamWriter) -> None:
        times.append(time.monotonic())
        await then(request, writer)  # type: ignore[arg-type] # it is handed on as it came

    return send
