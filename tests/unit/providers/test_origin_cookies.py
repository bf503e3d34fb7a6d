"""Cookies of a fetch: whatever a server says, they go back to it alone, and a fetch goes on."""

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.outbound.providers.fetching.origin_cookies import LONGEST, MOST, OriginCookies
from tests.support.builders import NOW

FEED = httpx.URL("https://feeds.example/a/feed.xml")


def after(*cookies: str, url: httpx.URL = FEED) -> OriginCookies:
    kept = OriginCookies()
    for cookie in cookies:
        kept.take(url, httpx.Response(200, headers=[(b"set-cookie", cookie.encode("latin-1"))]), NOW)
    return kept


@pytest.mark.parametrize(
    ("cookie", "sent"),
    [
        ("id=7", "id=7"),
        ("id=7; Domain=feeds.example; Secure; HttpOnly; SameSite=Strict", "id=7"),
        ("id=7; Path=/a", "id=7"),
        ("id=7; Path=/b", None),
        ("id=7; Max-Age=0", None),
        ("id=7; Max-Age=99999999999999999999", "id=7"),
        ("id=7; Max-Age=-1", None),
        ("id=7; Max-Age=soon; Expires=Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("id=7; Expires=Thu, 01-Jan-70 00:00:00 GMT", None),
        ("id=7; Expires=Thu, 01 Jan 2122 00:00:00 GMT", "id=7"),
        ("id=7; Path=/A/../a", None),
        ("id=7; Path=elsewhere", "id=7"),
        ("id=7; Expires=Mon, 01 Jan 99999999999 00:00:00 GMT", "id=7"),
        ("id=7; Domain=other.example", None),
        ("id=7; Domain=example", "id=7"),
        ('id="7 8"', 'id="7 8"'),
        ("", None),
        ("=", None),
    ],
)
def test_a_cookie_is_sent_where_it_belongs(cookie: str, sent: str | None) -> None:
    assert after(cookie).header(FEED) == sent


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/a/",
        "https://www.feeds.example/a/",
        "https://feeds.example:8443/a/",
        "http://feeds.example/a/",
    ],
)
def test_another_origin_gets_nothing(url: str) -> None:
    assert after("id=7; Domain=.feeds.example; Path=/").header(httpx.URL(url)) is None


def test_the_same_host_gets_it_when_https_has_taken_the_place_of_http() -> None:
    kept = after("id=7; Path=/", url=httpx.URL("http://feeds.example/"))

    assert kept.header(FEED) == "id=7"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://[::1]:8000/", "http://localhost/", "http://bücher.example/"]
)
def test_every_kind_of_host_gets_its_cookies(url: str) -> None:
    assert after("id=7", url=httpx.URL(url)).header(httpx.URL(url)) == "id=7"


def test_the_newest_are_kept_when_there_are_too_many() -> None:
    header = after(*(f"c{number}=1" for number in range(MOST + 5))).header(FEED) or ""

    assert header.count("=1") == MOST
    assert f"c{MOST + 4}=1" in header
    assert "c0=1" not in header


def test_one_that_is_too_long_is_not_kept() -> None:
    assert after("id=" + "x" * LONGEST).header(FEED) is None


@given(st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60))
@example("id=7; Version=1; Port")
@example('id=7; Port="443"; Version=x')
@example("expires=; max-age")
def test_whatever_a_server_sets_a_fetch_goes_on_and_sends_ascii(cookie: str) -> None:
    for said in (cookie, f"id=7; {cookie}", f"id={cookie}"):
        header = after(said).header(FEED)

        assert header is None or (header.isascii() and header.isprintable())


def test_a_cookie_that_ends_is_forgotten_and_one_that_is_set_again_is_replaced() -> None:
    assert after("id=7", "id=7; Max-Age=0").header(FEED) is None
    assert after("id=7", "id=8").header(FEED) == "id=8"


def test_the_cookie_of_the_longer_path_comes_first() -> None:
    assert after("id=7; Path=/", "id=8; Path=/a").header(FEED) == "id=8; id=7"


def test_a_secure_cookie_is_not_sent_in_the_clear() -> None:
    plain = httpx.URL("http://127.0.0.1/")

    assert after("id=7; Secure", url=plain).header(plain) is None
