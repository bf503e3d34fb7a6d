"""How a source is asked, as the configuration says: headers, cookies, bodies, certificates, and who is told of them."""

import asyncio
import logging
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.trust import tls_context
from app.adapters.outbound.providers.contract import a_plan
from app.adapters.outbound.providers.fetching.fetch_of_url import fetch_of
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed, FetchLimits
from app.adapters.outbound.providers.fetching.http_fetch import HttpFetch
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import FeedMark, FeedRefusedError, FeedRequest, FeedUnavailableError
from app.domain.feeds import PlanRecord
from tests.support.feed_server import FeedServer, Request, answer, redirect, validating
from tests.support.feeds import a_feed
from tests.support.fetched import fetched

CERTIFICATE = Path(__file__).parents[2] / "data" / "localhost.pem"
"""For the name `localhost` alone, with its key; trusted by nobody but these tests."""
SECRET = FeedRequest(headers={"Authorization": "Bearer s3cret", "X-Tenant": "7", "Cookie": "a=1; b=s3cret"})


def a_fetch(url: str, request: FeedRequest | None = None, *, trusted: ssl.SSLContext | None = None) -> HttpFetch:
    request = request or FeedRequest()
    identified = tls_context(CERTIFICATE, request.certificate, request.key) if request.certificate else None
    get = PinnedGet(
        limits=FetchLimits(connect_timeout=10, idle_timeout=20, total_timeout=60),
        policy=AddressPolicy(allow_private_networks=True),
        trusted=trusted,
        identified=identified,
        request=request,
    )
    found = fetch_of(url, get, accept="application/json")
    assert isinstance(found, HttpFetch)
    return found


async def taken(fetch: HttpFetch, since: FeedMark | None = None) -> FetchedFeed:
    feed = await fetch(since)
    assert isinstance(feed, FetchedFeed)
    feed.file.close()
    return feed


async def test_configured_headers_are_sent_and_replace_those_of_the_kind():
    request = FeedRequest(headers={"X-Tenant": "7", "accept": "text/csv"}, user_agent="acme/1")
    with FeedServer(answer(200)) as server:
        await taken(a_fetch(server.url, request))
        await taken(a_fetch(server.url))

        asked, plain = (one.headers for one in server.requests)
    assert (asked["x-tenant"], asked["accept"], asked["user-agent"]) == ("7", "text/csv", "acme/1")
    assert (plain["accept"], plain["user-agent"]) == ("application/json", "marquee")


async def test_configured_headers_go_along_within_the_origin_and_to_no_other_one():
    with FeedServer(answer(200)) as other, FeedServer(redirect("/b"), redirect(other.url)) as server:
        await taken(a_fetch(server.url, SECRET))

        for asked in server.requests:
            assert asked.headers["authorization"] == "Bearer s3cret"
            assert (asked.headers["x-tenant"], asked.headers["cookie"]) == ("7", "a=1; b=s3cret")
        assert {"authorization", "x-tenant", "cookie"}.isdisjoint(other.requests[0].headers)


async def test_pages_of_another_origin_are_not_told_who_asks():
    with FeedServer(answer(200)) as other, FeedServer(answer(200, Set_Cookie="session=s3cret")) as server:
        async with a_fetch(server.url, SECRET).session() as session:
            for url in ("", other.url, server.url):
                feed = await (session.get(url) if url else session.first())
                assert isinstance(feed, FetchedFeed)
                feed.file.close()

        assert {"authorization", "x-tenant", "cookie"}.isdisjoint(other.requests[0].headers)
        assert server.requests[1].headers["cookie"] == "a=1; b=s3cret; session=s3cret"


async def test_a_cookie_goes_back_to_the_origin_that_set_it_within_one_fetch_alone():
    wide = answer(302, Location="/b", Set_Cookie="id=7; Domain=127.0.0.1; Path=/; HttpOnly")
    with FeedServer(answer(200)) as other, FeedServer(wide, redirect(other.url)) as server:
        await taken(a_fetch(server.url))
        server.answers(answer(200))
        await taken(a_fetch(server.url))

        assert [asked.headers.get("cookie") for asked in server.requests] == [None, "id=7", None]
        assert "cookie" not in other.requests[0].headers


async def test_a_login_that_leads_back_to_the_feed_is_followed():
    async def asking_for_a_session(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.target == "/login":
            then = answer(303, Location="/feed.xml", Set_Cookie="session=1")
        else:
            then = answer(200) if request.headers.get("cookie") == "session=1" else redirect("/login")
        await then(request, writer)

    with FeedServer(asking_for_a_session) as server:
        await taken(a_fetch(server.url))

        assert [asked.target for asked in server.requests] == ["/feed.xml", "/login", "/feed.xml"]


async def test_a_server_replaces_a_configured_cookie_of_its_name():
    with FeedServer(answer(302, Location="/b", Set_Cookie="a=2"), answer(200)) as server:
        await taken(a_fetch(server.url, SECRET))

        assert server.requests[1].headers["cookie"] == "b=s3cret; a=2"


@pytest.mark.parametrize(
    "cookie", ["big=" + "x" * 5_000, "odd=caf\xe9", "elsewhere=1; Domain=feeds.example", "p=1; Path=/x"]
)
async def test_a_cookie_that_is_too_long_or_not_for_the_next_request_is_not_sent(cookie: str):
    with FeedServer(answer(302, Location="/b", Set_Cookie=cookie), answer(200)) as server:
        await taken(a_fetch(server.url))

        assert "cookie" not in server.requests[1].headers


async def test_a_server_cannot_make_a_fetch_carry_cookies_without_end():
    turn = iter(range(1_000))

    async def setting(request: Request, writer: asyncio.StreamWriter) -> None:
        await answer(200, Set_Cookie=f"c{next(turn)}=1")(request, writer)

    with FeedServer(setting) as server:
        async with a_fetch(server.url).session() as session:
            for _ in range(60):
                (await session.get("/")).file.close()

        assert server.requests[-1].headers["cookie"].count("=") == 50


async def test_a_post_sends_its_body_and_what_it_is():
    request = FeedRequest(method="POST", body='{"query": "ñ"}', content_type="application/graphql+json")
    with FeedServer(answer(200, b"[]", ETag='"1"')) as server:
        feed = await taken(a_fetch(server.url, request))
        again = await a_fetch(server.url, request)(feed.mark)

        first, second = server.requests
    assert (first.method, first.body) == ("POST", '{"query": "ñ"}'.encode())
    assert first.headers["content-type"] == "application/graphql+json"
    assert again is None
    assert "if-none-match" not in second.headers


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
async def test_a_redirected_post_is_sent_again_or_becomes_a_get(status: int, method: str):
    with FeedServer(redirect("/b", status), answer(200)) as server:
        await taken(a_fetch(server.url, FeedRequest(method="POST", body="s3cret")))

        asked = server.requests[1]
    assert (asked.method, asked.body) == (method, b"s3cret" if method == "POST" else b"")
    assert ("content-type" in asked.headers) is (method == "POST")


async def test_a_body_follows_no_redirect_to_another_origin():
    with FeedServer(answer(200)) as other, FeedServer(redirect(other.url, 307)) as server:
        with pytest.raises(FeedRefusedError, match="expected a POST to stay there"):
            await a_fetch(server.url, FeedRequest(method="POST", body="s3cret"))(None)

        assert other.requests == []


async def test_a_redirected_post_that_becomes_a_get_tells_another_origin_nothing():
    request = replace(SECRET, method="POST", body="s3cret")
    with FeedServer(answer(200)) as other, FeedServer(redirect(other.url, 303)) as server:
        await taken(a_fetch(server.url, request))

        assert "s3cret" not in repr(other.requests)


async def test_the_authorities_of_a_file_are_trusted_and_public_ones_are_not_needed():
    with FeedServer(answer(200), tls=_server_tls()) as server:
        await taken(a_fetch(server.url_of("localhost"), trusted=tls_context(CERTIFICATE)))

        with pytest.raises(FeedUnavailableError, match="certificate"):
            await a_fetch(server.url_of("localhost"), trusted=tls_context())(None)


async def test_the_certificate_is_shown_to_the_origin_and_to_no_other_one(tmp_path: Path):
    certificate, key = _certificate_and_key(tmp_path)
    request = FeedRequest(certificate=certificate, key=key)
    with (
        FeedServer(answer(200), tls=_server_tls(ssl.CERT_OPTIONAL)) as other,
        FeedServer(redirect("/b"), redirect(other.url_of("localhost")), tls=_server_tls(ssl.CERT_REQUIRED)) as server,
    ):
        await taken(a_fetch(server.url_of("localhost"), request, trusted=tls_context(CERTIFICATE)))

        assert all(asked.certificate for asked in server.requests)
        assert len(server.requests) == 2
        assert other.requests[0].certificate is None


async def test_a_server_that_wants_a_certificate_gets_none_without_one():
    with FeedServer(answer(200), tls=_server_tls(ssl.CERT_REQUIRED)) as server:
        with pytest.raises(FeedUnavailableError):
            await a_fetch(server.url_of("localhost"), trusted=tls_context(CERTIFICATE))(None)

        assert server.requests == []


async def test_nothing_that_is_secret_is_in_a_message_a_log_or_a_repr(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    request = replace(SECRET, method="POST", body="s3cret")
    with FeedServer(answer(302, Location="/b?s=s3cret", Set_Cookie="id=s3cret"), answer(404)) as server:
        fetch = a_fetch(server.url, request)
        with pytest.raises(FeedRefusedError) as caught:
            await fetch(None)

    ours = "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))
    )
    assert "s3cret" not in repr((request, fetch.get, caught.value)) + ours


async def test_validators_of_another_request_are_not_sent():
    assert PinnedGet().way == ""
    ways = {PinnedGet(request=request).way for request in (FeedRequest(), SECRET, FeedRequest(method="POST"))}
    assert len(ways) == 3
    assert all(len(way) <= 4 for way in ways)


async def test_a_check_asks_as_a_fetch_does():
    with FeedServer(validating(b"", '"1"')) as server:
        await a_fetch(server.url, replace(SECRET, method="POST", body="{}")).probe()

        [asked] = server.requests
    assert (asked.method, asked.body, asked.headers["x-tenant"]) == ("POST", b"{}", "7")


def _server_tls(asks: ssl.VerifyMode = ssl.CERT_NONE) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    if asks:
        context.load_verify_locations(CERTIFICATE)
    context.verify_mode = asks
    return context


def _certificate_and_key(folder: Path) -> tuple[Path, Path]:
    text = CERTIFICATE.read_text()
    begin = text.index("-----BEGIN CERTIFICATE-----")
    end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")
    (folder / "certificate.pem").write_text(text[begin:end] + "\n")
    (folder / "key.pem").write_text(text[:begin] + text[end:])
    return folder / "certificate.pem", folder / "key.pem"


async def test_a_cookie_that_is_written_badly_costs_no_other_one():
    async def setting(_: Request, writer: asyncio.StreamWriter) -> None:
        cookies = "Set-Cookie: session=1\r\nSet-Cookie: theme=dark; Max-Age\r\nSet-Cookie: =\r\n"
        writer.write(f"HTTP/1.1 302 As Told\r\n{cookies}Location: /b\r\nContent-Length: 0\r\n\r\n".encode())

    with FeedServer(setting, answer(200)) as server:
        await taken(a_fetch(server.url))

        assert server.requests[1].headers["cookie"] == "session=1; theme=dark"


async def test_the_character_set_of_the_content_type_counts_for_a_document_that_says_none():
    plan = a_plan("1", title="Ñandú")
    text = a_feed([plan]).decode().replace(' encoding="UTF-8"', "")
    with FeedServer(answer(200, text.encode("latin-1"), Content_Type="text/xml; charset=ISO-8859-1")) as server:
        get = PinnedGet(policy=AddressPolicy(allow_private_networks=True))
        provider = PlanListXmlProvider(name="contract", url=server.url, timezone="Europe/Madrid", get=get)
        snapshot = await fetched(provider)
        records = [record async for batch in snapshot.records() for record in batch]
        await snapshot.aclose()

    assert [record.plan for record in records if isinstance(record, PlanRecord)] == [plan]
