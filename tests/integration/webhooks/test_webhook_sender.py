"""Webhooks over HTTP, to a real receiver that behaves in every way that receivers do."""

import asyncio
import gc
import ssl
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from threading import Event

import httpx
import pytest

from app.adapters.egress.addresses import AddressPolicy, Resolver, addresses_of
from app.adapters.egress.pinned_request import KeptConnections, PinnedRequest
from app.adapters.formats.cloud_events import render_trial
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.webhooks.sender import READ_FOR, READ_OF_BODY, HttpWebhookSender
from app.application.ports.system import Clock
from app.domain.webhook_deliveries import Answer as Answered
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhook_headers import Header
from tests.support.faulty_server import after, endless, head, raw, trickled
from tests.support.feed_server import Answer, FeedServer, Request, answer, redirect, silence
from tests.support.fixed_clock import FixedClock
from tests.support.waiting import eventually
from tests.support.webhook_receiver import Received, Receiver, hung_up, kept
from tests.support.webhook_world import a_message, a_secret, an_endpoint

CERTIFICATE = Path(__file__).parents[2] / "data" / "localhost.pem"
ANYWHERE = AddressPolicy(allow_private_networks=True)
TIMEOUT = 0.5
"""Of those whose receiver says nothing; the others wait for a busy machine."""
PATIENT = 10.0


def a_sender(
    *,
    policy: AddressPolicy = ANYWHERE,
    resolver: Resolver | None = None,
    trusted: ssl.SSLContext | None = None,
    timeout: float = PATIENT,
    clock: Clock | None = None,
) -> HttpWebhookSender:
    request = PinnedRequest(
        connect_timeout=timeout, idle_timeout=timeout, policy=policy, resolver=resolver or addresses_of, trusted=trusted
    )
    return HttpWebhookSender(request, clock or SystemClock(), timeout=timeout)


def at(*addresses: str) -> Resolver:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def sent_to(server: FeedServer, *, timeout: float = PATIENT) -> Answered:  # noqa: ASYNC109 - the sender's
    return await a_sender(timeout=timeout).send(an_endpoint(url=server.url), a_message())


async def test_a_receiver_can_verify_what_it_gets_with_the_library():
    message = a_message(body='{"title": "Ñandú €"}')
    with Receiver() as server:
        done = await a_sender().send(an_endpoint(url=server.url), message)

        [got] = server.diary.received
    assert done.is_success
    assert got.body.decode() == message.body
    assert got.is_signed_with(a_secret(1).text)
    assert not got.is_signed_with(a_secret(2).text)
    assert got.message_id == message.event_id
    assert got.request.headers["content-type"] == "application/cloudevents+json"
    assert got.request.headers["user-agent"] == "marquee"


async def test_own_headers_are_sent_and_change_nothing_of_ours():
    own = (Header("Authorization", "Bearer kept"), Header("X-Shop", "7 8"))
    with Receiver() as server:
        await a_sender().send(an_endpoint(url=server.url, headers=own), a_message())

        [got] = server.diary.received
    assert (got.request.headers["authorization"], got.request.headers["x-shop"]) == ("Bearer kept", "7 8")
    assert got.request.headers["content-type"] == "application/cloudevents+json"
    assert got.is_signed_with(a_secret(1).text)


async def test_what_was_changed_on_its_way_is_not_verified():
    with Receiver() as server:
        await sent_to(server)

        [got] = server.diary.received
    forged = type(got)(got.request, got.body + b" ")
    assert not forged.is_signed_with(a_secret(1).text)


async def test_a_message_of_long_ago_is_not_verified_and_each_attempt_is_signed_with_its_time():
    with Receiver() as server:
        await a_sender(clock=FixedClock(datetime(2020, 1, 1, tzinfo=UTC))).send(
            an_endpoint(url=server.url), a_message()
        )
        await sent_to(server)

        old, new = server.diary.received
    assert not old.is_signed_with(a_secret(1).text)
    assert new.is_signed_with(a_secret(1).text)
    assert old.message_id == new.message_id


async def test_while_a_secret_is_rotated_both_verify():
    now = datetime.now(UTC)
    with Receiver() as server:
        await a_sender().send(an_endpoint(url=server.url).rotated(a_secret(2), now), a_message())

        [got] = server.diary.received
    assert got.is_signed_with(a_secret(1).text)
    assert got.is_signed_with(a_secret(2).text)
    assert not got.is_signed_with(a_secret(3).text)


@pytest.mark.parametrize(("status", "fine"), [(200, True), (299, True), (400, False), (404, False), (500, False)])
async def test_the_status_decides(status: int, fine: bool):
    with Receiver(answer(status)) as server:
        done = await sent_to(server)

    assert (done.status, done.is_success) == (status, fine)
    assert (done.error is None) == fine


async def test_a_redirect_is_not_followed():
    with Receiver() as target, Receiver(redirect(target.url, 307)) as server:
        done = await sent_to(server)

        assert target.diary.received == []
    assert (done.status, done.is_success) == (307, False)
    assert "redirects are not followed" in str(done.error)


async def test_retry_after_is_read_in_seconds_and_as_a_date():
    with Receiver(answer(429, Retry_After="90")) as server:
        assert (await sent_to(server)).retry_after == 90
    with Receiver(answer(503, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT")) as server:
        assert (await sent_to(server)).retry_after == 24 * 3600
    with Receiver(answer(503, Retry_After="soon")) as server:
        assert (await sent_to(server)).retry_after is None


async def test_a_receiver_that_says_nothing_is_cut():
    with Receiver(silence()) as server:
        begun = time.monotonic()
        done = await sent_to(server, timeout=TIMEOUT)

    assert time.monotonic() - begun < TIMEOUT + 2
    assert (done.status, done.error) == (None, "no answer within 0.5 s")
    assert done.took >= TIMEOUT


async def test_a_receiver_that_trickles_its_head_is_cut():
    with Receiver(trickled(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", every=0.1)) as server:
        begun = time.monotonic()
        done = await sent_to(server, timeout=TIMEOUT)

    assert time.monotonic() - begun < TIMEOUT + 2
    assert done.error == "no answer within 0.5 s"


async def test_a_huge_answer_is_cut_and_its_status_counts():
    with Receiver(endless()) as server:
        tracemalloc.start()
        begun = time.monotonic()
        done = await sent_to(server)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert done.is_success
    assert time.monotonic() - begun < READ_FOR
    assert most < 4 * 1024 * 1024


async def test_an_answer_without_an_end_is_cut_and_its_status_counts():
    with Receiver(raw(b"HTTP/1.1 204 No Content\r\n\r\n")) as fine:
        assert (await sent_to(fine)).is_success
    with Receiver(trickled(b"." * 2000, every=0.01, first=head())) as server:
        begun = time.monotonic()
        done = await sent_to(server)

    assert done.is_success
    assert time.monotonic() - begun < 10  # of the 20 s that all of it would take


@pytest.mark.parametrize("nonsense", [b"", b"SSH-2.0-hello\r\n", b"HTTP/1.1 200"])
async def test_what_is_no_http_is_a_failure(nonsense: bytes):
    with Receiver(raw(nonsense)) as server:
        done = await sent_to(server)

    assert done.status is None
    assert done.error == "the answer ended too early, or is none of HTTP"


async def test_nobody_there_is_a_failure():
    with Receiver() as server:
        url = server.url
    done = await a_sender().send(an_endpoint(url=url), a_message())

    assert done.status is None
    assert "no connection" in str(done.error)


PUBLIC_ONLY = AddressPolicy()
PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fd00::1"]
MAPPED = ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]


@pytest.mark.parametrize("address", [*PRIVATE, *MAPPED])
async def test_a_private_address_is_refused_also_behind_a_name(address: str):
    sender = a_sender(policy=PUBLIC_ONLY, resolver=at(address))

    with pytest.raises(InvalidWebhookError, match="allow_private_networks: true` allows it"):
        await sender.check("https://hook.example.com/in")
    done = await sender.send(an_endpoint(), a_message())

    assert "not sent: the host has an address that is not public" in str(done.error)


async def test_one_private_address_among_public_ones_is_enough():
    sender = a_sender(policy=PUBLIC_ONLY, resolver=at("93.184.216.34", "10.0.0.1"))

    with pytest.raises(InvalidWebhookError):
        await sender.check("https://hook.example.com/in")


async def test_a_private_address_is_refused_as_it_is_and_nothing_is_sent():
    with Receiver() as server:
        done = await a_sender(policy=PUBLIC_ONLY).send(an_endpoint(url=server.url), a_message())
        named = await a_sender(policy=PUBLIC_ONLY).send(an_endpoint(url=server.url_of("localhost")), a_message())

        assert server.diary.received == []
    assert "not public" in str(done.error)
    assert "not public" in str(named.error)


async def test_a_name_that_leads_elsewhere_at_the_second_look_is_not_looked_up_twice():
    """DNS rebinding: the checked address is the one that is connected to."""
    looks: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        looks.append(host)
        return ["127.0.0.1"] if len(looks) > 1 else ["203.0.113.1"]

    sender = a_sender(policy=PUBLIC_ONLY, resolver=rebinding, timeout=0.1)
    done = await sender.send(an_endpoint(url="http://hook.example.com/"), a_message())

    assert len(looks) == 1
    assert not done.is_success


async def test_a_redirect_to_a_private_address_leads_nowhere():
    with Receiver() as inner, Receiver(redirect(inner.url)) as server:
        port = server.port
        sender = a_sender(resolver=at("127.0.0.1"))
        done = await sender.send(an_endpoint(url=f"http://hook.example.com:{port}/"), a_message())

        assert inner.diary.received == []
        [got] = server.diary.received
    assert done.status == 302
    assert got.request.headers["host"] == f"hook.example.com:{port}"


async def test_private_addresses_are_allowed_by_configuration():
    await a_sender().check("http://127.0.0.1:9000/in")


async def test_a_host_that_is_not_found_now_may_be_added_and_cannot_be_sent_to():
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError("unknown")

    sender = a_sender(policy=PUBLIC_ONLY, resolver=nowhere)
    await sender.check("https://hook.example.com/")
    done = await sender.send(an_endpoint(), a_message())

    assert "addresses of hook.example.com were not found" in str(done.error)


async def test_what_httpx_cannot_read_is_refused():
    with pytest.raises(InvalidWebhookError, match="HTTP can be sent to"):
        await a_sender().check("http://[:::]/")


async def test_https_is_verified_by_name():
    served, trusted = certified()
    with FeedServer(answer(200), tls=served) as server:
        fine = await a_sender(trusted=trusted).send(an_endpoint(url=server.url_of("localhost")), a_message())
        other = await a_sender(trusted=trusted).send(an_endpoint(url=server.url_of("127.0.0.1")), a_message())
        stranger = await a_sender().send(an_endpoint(url=server.url_of("localhost")), a_message())

    assert fine.is_success
    assert "CERTIFICATE_VERIFY_FAILED" in str(other.error)
    assert "CERTIFICATE_VERIFY_FAILED" in str(stranger.error)


async def test_no_message_repeats_the_url_or_the_secret():
    url = "http://127.0.0.1:1/in?token=hidden"
    done = await a_sender().send(an_endpoint(url=url), a_message())

    assert "hidden" not in str(done.error)
    assert a_secret(1).text not in repr(done)


async def test_sending_can_be_cancelled():
    with Receiver(silence()) as server:
        task = asyncio.create_task(sent_to(server, timeout=30))
        await asyncio.sleep(0.1)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


def certified() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make who serves as `localhost`, and who trusts it."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(CERTIFICATE)
    return served, ssl.create_default_context(cafile=CERTIFICATE)


def over(server: Receiver) -> list[int]:
    """Say for each message which connection it came over."""
    return [one.connection for one in server.diary.received]


async def all_closed(server: Receiver) -> bool:
    """Wait for the receiver to see it."""
    await eventually(lambda: not server.open_connections)
    gc.collect()  # what was left open would warn
    return True


def in_turns(*answers: Answer) -> Callable[[Received], Answer]:
    """Answer over each connection with these, one after the other."""
    so_far: Counter[int] = Counter()

    def choose(one: Received) -> Answer:
        so_far[one.connection] += 1
        return answers[(so_far[one.connection] - 1) % len(answers)]

    return choose


def at_once(*pieces: bytes) -> Answer:
    """Send these in one write; over TLS each is a record."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)

    return send


def later(said: bytes, sent: Event) -> Answer:
    """Answer, and say something else when the answer was read."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await asyncio.sleep(0.2)
        writer.write(said)
        sent.set()

    return send


def failing_the_second(first: Answer) -> Callable[[Received], Answer]:
    """Answer the first message with this, and the second, over whatever connection, with 500."""
    failed = kept(500, b"no")
    return lambda one: failed if one.message_id == "plan-2" else first


async def test_a_connection_is_used_again_until_the_sending_ends():
    with Receiver(keeps=True) as server:
        async with a_sender().sending() as send:
            for number in range(1, 6):
                assert (await send(an_endpoint(url=server.url), a_message(number))).is_success
            assert server.open_connections == 1

        assert await all_closed(server)
    assert over(server) == [1] * 5
    assert all("connection" not in one.request.headers for one in server.diary.received)
    assert all(one.is_signed_with(a_secret(1).text) for one in server.diary.received)


async def test_each_attempt_over_a_kept_connection_is_signed_with_its_time():
    clock = FixedClock()
    with Receiver(keeps=True) as server:
        async with a_sender(clock=clock).sending() as send:
            for _ in range(2):
                await send(an_endpoint(url=server.url), a_message())
                clock.move(60)

    first, second = (int(one.request.headers["webhook-timestamp"]) for one in server.diary.received)
    assert second - first == 60


async def test_as_many_connections_are_made_as_there_are_attempts_at_a_time():
    with Receiver(after(0.05, kept()), keeps=True) as server:
        async with a_sender(timeout=5).sending() as send:
            for _ in range(3):
                done = await asyncio.gather(*(send(an_endpoint(url=server.url), a_message(at)) for at in range(8)))
                assert all(one.is_success for one in done)
        assert await all_closed(server)

    assert Counter(over(server)) == dict.fromkeys(range(1, 9), 3)


async def test_one_message_alone_says_that_its_connection_ends():
    with Receiver(keeps=True) as server:
        await sent_to(server)
        await sent_to(server)

        assert await all_closed(server)
    assert over(server) == [1, 2]
    assert [one.request.headers["connection"] for one in server.diary.received] == ["close", "close"]


@pytest.mark.parametrize("said", ["Connection: close", "X-Nothing: said"])
async def test_a_receiver_that_closes_after_each_answer_gets_each_message_once(said: str):
    with Receiver(raw(head(said, "Content-Length: 2") + b"ok")) as server:
        async with a_sender().sending() as send:
            for number in range(1, 6):
                assert (await send(an_endpoint(url=server.url), a_message(number))).is_success
                await eventually(lambda: not server.open_connections)

    assert over(server) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("ending", [hung_up(), hung_up(reset=True), hung_up(b"HTTP/1.1 2"), raw(b"ok\r\n\r\n")])
async def test_a_message_that_a_kept_connection_ends_at_is_sent_once_more_over_a_new_one(ending: Answer):
    with Receiver(choose=in_turns(kept(), ending), keeps=True) as server:
        async with a_sender().sending() as send:
            for number in range(1, 4):
                assert (await send(an_endpoint(url=server.url), a_message(number))).is_success
        assert await all_closed(server)

    assert server.diary.ids == ["plan-1", "plan-2", "plan-2", "plan-3", "plan-3"]
    assert over(server) == [1, 1, 2, 2, 3]


async def test_a_message_that_a_new_connection_ends_at_has_failed():
    with Receiver(hung_up(), keeps=True) as server:
        async with a_sender().sending() as send:
            first = await send(an_endpoint(url=server.url), a_message(1))
            second = await send(an_endpoint(url=server.url), a_message(2))

    assert server.diary.ids == ["plan-1", "plan-2"]
    assert {first.error, second.error} == {"the answer ended too early, or is none of HTTP"}


async def test_a_new_connection_in_the_place_of_one_that_was_seen_to_end_is_as_new_as_any():
    with Receiver(kept(), hung_up()) as server:
        async with a_sender().sending() as send:
            await send(an_endpoint(url=server.url), a_message(1))
            await eventually(lambda: not server.open_connections)
            done = await send(an_endpoint(url=server.url), a_message(2))

    assert not done.is_success
    assert server.diary.ids == ["plan-1", "plan-2"]


async def test_the_second_connection_has_no_more_time_than_was_left():
    def choose(one: Received) -> Answer:
        if one.message_id == "plan-1":
            return kept()
        return after(0.3, hung_up()) if one.connection == 1 else silence()

    with Receiver(choose=choose, keeps=True) as server:
        async with a_sender(timeout=TIMEOUT).sending() as send:
            await send(an_endpoint(url=server.url), a_message(1))
            begun = time.monotonic()
            done = await send(an_endpoint(url=server.url), a_message(2))

    assert over(server) == [1, 1, 2]
    assert done.error == "no answer within 0.5 s"
    assert time.monotonic() - begun < TIMEOUT + 0.25


async def test_what_comes_over_a_kept_connection_too_late_is_not_asked_for_again():
    with Receiver(choose=in_turns(kept(), silence()), keeps=True) as server:
        async with a_sender(timeout=TIMEOUT).sending() as send:
            await send(an_endpoint(url=server.url), a_message(1))
            done = await send(an_endpoint(url=server.url), a_message(2))
            assert (await send(an_endpoint(url=server.url), a_message(3))).is_success

    assert done.error == "no answer within 0.5 s"
    assert over(server) == [1, 1, 2]


OK = head("Content-Length: 0")
WITH_AN_ANSWER_AS_BODY = [head(f"Content-Length: {len(OK)}", status=204), OK]
LONG = head("Content-Length: 65000")
FILLING_A_READ = [head("Content-Length: 65000", f"Filler: {'.' * (526 - len(LONG))}") + b"." * 65_000, OK]
"""The first answer is as long as what the library reads at a time: the second one is left before it, not in it."""


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("said", [[OK, OK], [OK + OK], WITH_AN_ANSWER_AS_BODY, [OK, OK[:10]]])
async def test_what_comes_after_an_answer_is_not_the_answer_to_the_next_message(said: list[bytes], tls: bool):
    served, trusted = certified()
    with Receiver(choose=failing_the_second(at_once(*said)), keeps=True, tls=served if tls else None) as server:
        async with a_sender(trusted=trusted, timeout=5).sending() as send:
            done = [await send(an_endpoint(url=server.url_of("localhost")), a_message(at)) for at in (1, 2)]
        assert await all_closed(server)

    assert [one.is_success for one in done] == [True, False]
    assert done[1].status == 500
    assert over(server) == [1, 2]


@pytest.mark.parametrize("tls", [False, True])
async def test_what_the_library_has_received_and_not_read_is_no_answer_either(tls: bool):
    served, trusted = certified()
    choose = failing_the_second(after(0.2, at_once(*FILLING_A_READ)))
    with Receiver(choose=choose, keeps=True, tls=served if tls else None) as server:
        async with a_sender(trusted=trusted, timeout=5).sending() as send:
            asyncio.get_running_loop().call_later(0.1, time.sleep, 0.4)  # all of it is there at the first look
            done = [await send(an_endpoint(url=server.url_of("localhost")), a_message(at)) for at in (1, 2)]

    assert [one.status for one in done] == [200, 500]
    assert over(server) == [1, 2]


@pytest.mark.parametrize("tls", [False, True])
async def test_what_comes_between_two_messages_is_not_the_answer_to_the_second(tls: bool):
    served, trusted = certified()
    sent = Event()
    with Receiver(choose=failing_the_second(later(OK, sent)), keeps=True, tls=served if tls else None) as server:
        async with a_sender(trusted=trusted, timeout=5).sending() as send:
            first = await send(an_endpoint(url=server.url_of("localhost")), a_message(1))
            await eventually(sent.is_set)
            second = await send(an_endpoint(url=server.url_of("localhost")), a_message(2))

    assert [first.status, second.status] == [200, 500]
    assert over(server) == [1, 2]


@pytest.mark.parametrize("long", [kept(200, b"." * (READ_OF_BODY + 1)), endless()])
async def test_a_long_body_ends_the_connection(long: Answer):
    with Receiver(choose=in_turns(long, kept()), keeps=True) as server:
        async with a_sender().sending() as send:
            for number in range(1, 4):
                assert (await send(an_endpoint(url=server.url), a_message(number))).is_success

        assert await all_closed(server)
    assert over(server) == [1, 2, 3]


async def test_a_short_body_is_read_and_ends_nothing():
    with Receiver(kept(500, b"." * (READ_OF_BODY - 1)), keeps=True) as server:
        async with a_sender().sending() as send:
            for number in range(1, 4):
                assert (await send(an_endpoint(url=server.url), a_message(number))).status == 500

    assert over(server) == [1, 1, 1]


async def test_an_address_that_is_not_allowed_any_more_gets_nothing_over_a_kept_connection():
    leads_to = ["127.0.0.1"]

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return list(leads_to)

    policy = AddressPolicy(allowed_networks=(ip_network("127.0.0.0/8"),))
    with Receiver(keeps=True) as server:
        url = f"http://hook.example.com:{server.port}/"
        async with a_sender(policy=policy, resolver=resolve).sending() as send:
            assert (await send(an_endpoint(url=url), a_message(1))).is_success
            leads_to[:] = ["127.0.0.1", "10.0.0.1"]
            refused = await send(an_endpoint(url=url), a_message(2))
            leads_to[:] = ["127.0.0.2"]
            elsewhere = await send(an_endpoint(url=url), a_message(3))
            assert await all_closed(server)

    assert server.diary.ids == ["plan-1"]
    assert "not sent: the host has an address that is not public" in str(refused.error)
    assert "no connection" in str(elsewhere.error)


async def test_an_address_that_takes_connections_is_asked_before_one_that_did_not():
    with Receiver(keeps=True) as server:
        url = f"http://hook.example.com:{server.port}/"
        async with a_sender(resolver=at("127.0.0.2", "127.0.0.1")).sending() as send:
            for number in range(1, 4):
                assert (await send(an_endpoint(url=url), a_message(number))).is_success

    assert over(server) == [1, 1, 1]


async def test_two_names_of_one_address_share_no_connection():
    with Receiver(keeps=True) as server:
        async with a_sender(resolver=at("127.0.0.1")).sending() as send:
            for name in ("a", "b", "b", "a"):
                url = f"http://{name}.example.com:{server.port}/"
                assert (await send(an_endpoint(url=url), a_message())).is_success
        assert await all_closed(server)

    hosts = [(one.request.headers["host"].partition(".")[0], one.connection) for one in server.diary.received]
    assert hosts == [("a", 1), ("b", 2), ("b", 2), ("a", 3)]


async def test_a_name_that_the_certificate_does_not_have_gets_nothing_over_another_names_connection():
    served, trusted = certified()
    with Receiver(keeps=True, tls=served) as server:
        async with a_sender(trusted=trusted, resolver=at("127.0.0.1"), timeout=5).sending() as send:
            fine = [await send(an_endpoint(url=server.url_of("localhost")), a_message(at)) for at in (1, 2)]
            other = await send(an_endpoint(url=server.url_of("other.example.com")), a_message(3))
        assert await all_closed(server)

    assert all(one.is_success for one in fine)
    assert "CERTIFICATE_VERIFY_FAILED" in str(other.error)
    assert over(server) == [1, 1]


async def test_a_connection_that_was_idle_for_long_is_not_used_again():
    request = PinnedRequest(policy=ANYWHERE)
    with Receiver(keeps=True) as server:
        async with KeptConnections(longest_idle=0.1) as kept_connections:
            for wait in (0, 0.2):
                async with request("POST", httpx.URL(server.url), {"webhook-id": "1"}, b"{}", kept_connections) as got:
                    await got.aread()
                await asyncio.sleep(wait)
            await asyncio.sleep(0.2)
            async with request("POST", httpx.URL(server.url), {"webhook-id": "1"}, b"{}", kept_connections) as got:
                await got.aread()
            assert server.open_connections == 1

    assert over(server) == [1, 1, 2]


@pytest.mark.parametrize("tls", [False, True])
async def test_a_sending_that_is_cancelled_leaves_no_connection(tls: bool):
    served, trusted = certified()
    calls = in_turns(kept(), kept(), silence())
    with Receiver(choose=calls, keeps=True, tls=served if tls else None) as server:
        endpoint = an_endpoint(url=server.url_of("localhost"))

        async def drain() -> None:
            async with a_sender(trusted=trusted, timeout=30).sending() as send:
                while True:
                    await asyncio.gather(*(send(endpoint, a_message(number)) for number in range(4)))

        task = asyncio.create_task(drain())
        await eventually(lambda: len(server.diary.received) == 12)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await all_closed(server)
    assert server.diary.connections == 4


@pytest.mark.parametrize("timeout", [0.2, 30])
async def test_a_handshake_that_does_not_end_leaves_no_connection(timeout: float):  # noqa: ASYNC109 - the sender's
    with Receiver(keeps=True) as server:
        url = server.url_of("localhost").replace("http:", "https:")

        async def drain() -> None:
            async with a_sender(timeout=timeout).sending() as send:
                await send(an_endpoint(url=url), a_message())

        task = asyncio.create_task(drain())
        await eventually(lambda: server.open_connections == 1)
        if timeout > 1:
            task.cancel()
        await asyncio.wait([task])
        del task

        assert await all_closed(server)


def test_a_trial_is_an_envelope_like_all_others():
    body = render_trial("id-1", "shop", datetime(2026, 1, 5, 12, tzinfo=UTC), source="/marquee")

    assert body == (
        '{"specversion":"1.0","id":"id-1","source":"/marquee","type":"marquee.webhook.test.v1",'
        '"subject":"webhooks/shop","time":"2026-01-05T12:00:00.000Z","datacontenttype":"application/json",'
        '"data":{"webhook":"shop"}}'
    )
