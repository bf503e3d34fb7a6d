"""Which headers a webhook may send beside ours."""

import pytest

from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhook_headers import LARGEST_HEADERS, MOST_HEADERS, Header, check_headers, merged
from tests.support.webhook_world import an_endpoint


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "cookie", "traceparent", "Accept", "a.b!~"])
@pytest.mark.parametrize("value", ["x", "Bearer a b", "!", "~" * 2000])
def test_what_a_gateway_may_ask_for_can_be_sent(name: str, value: str) -> None:
    check_headers([Header(name, value)])


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "keep-alive", "Proxy-Authorization", "proxy-connection", "TE", "Trailer", "Transfer-Encoding"),
        *("Upgrade", "HTTP2-Settings", "Host", "Expect", "Content-Length", "content-type", "Content-Encoding"),
        *("User-Agent", "Accept-Encoding", "Webhook-Signature", "webhook-id", "Webhook-Anything", "WEBHOOK_SIGNATURE"),
        *("transfer_encoding", "Signature", "Digest"),
    ],
)
def test_what_frames_or_signs_a_message_is_refused(name: str) -> None:
    with pytest.raises(InvalidWebhookError, match=f"headers: {name} is said by Marquee"):
        check_headers([Header(name, "x")])


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "ä", "a" * 101, "(x)"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidWebhookError, match="is no name of a header"):
        check_headers([Header(name, "x")])


@pytest.mark.parametrize("value", ["", " ", " x", "x ", "a\r\nHost: b", "a\nb", "a\0b", "secret\x7f", "é", "~" * 2001])
def test_a_value_that_could_end_its_line_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(InvalidWebhookError) as caught:
        check_headers([Header("X-Key", value)])

    assert str(caught.value) == (
        "headers: the value of X-Key is not 1 to 2,000 visible ASCII characters, spaces only inside"
    )


def test_a_name_stands_once_however_it_is_written() -> None:
    with pytest.raises(InvalidWebhookError, match="X_KEY is there twice"):
        check_headers([Header("x-key", "1"), Header("X_KEY", "2")])


def test_their_number_and_size_are_bounded() -> None:
    check_headers([Header(f"x-{number}", "x") for number in range(MOST_HEADERS)])

    for too_many in (
        [Header(f"x-{number}", "x") for number in range(MOST_HEADERS + 1)],
        [Header("a", "x" * 2000), Header("b", "x" * 2000), Header("c", "x" * (LARGEST_HEADERS - 4002))],
    ):
        with pytest.raises(InvalidWebhookError, match="up to 16, of 4,096 characters in all"):
            check_headers(too_many)


def test_changes_replace_and_take_away_whatever_the_case() -> None:
    before = (Header("Authorization", "old"), Header("X-Shop", "7"))

    assert merged(before, {"authorization": "new", "X-SHOP": None, "x-gone": None, "B": "1"}) == (
        Header("authorization", "new"),
        Header("B", "1"),
    )
    assert merged(before, {}) == before


def test_an_endpoint_checks_its_headers_and_shows_no_value() -> None:
    endpoint = an_endpoint(headers=(Header("Authorization", "hidden"),))

    assert "hidden" not in repr(endpoint)
    assert endpoint.with_headers({"Authorization": None}).headers == ()
    with pytest.raises(InvalidWebhookError):
        endpoint.with_headers({"Host": "x"})
