"""What a key that is no secret may do, as somebody writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.publishable_keys import (
    MOST_ORIGINS,
    MOST_TYPES,
    InvalidKeyError,
    Publishable,
    read_publishable,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://shop.example", "https://shop.example"),
        (" HTTPS://Shop.Example/ ", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("*", "*"),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(written: str, read: str):
    assert Publishable.of([written]).origins == {read}


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "shop.example", "https://", "https://shop.example/cart", "https://shop.example?a"),
        *("ftp://a.example", "https://a b", "https://shop.example:0", "https://b\u00fccher.example"),
        *("https://*.example", "https://a@b.example", "https://" + "a" * 260),
    ],
)
def test_what_is_no_origin_is_refused(text: str):
    with pytest.raises(InvalidKeyError) as refused:
        Publishable.of([text])

    assert refused.value.field == "origins"


@pytest.mark.parametrize(
    ("origins", "types", "field"),
    [
        ([], [], "origins"),
        (["*", "https://a.example"], [], "origins"),
        ([f"https://{number}.example" for number in range(MOST_ORIGINS + 1)], [], "origins"),
        (["*"], ["Page View"], "types"),
        (["*"], ["$alias"], "types"),
        (["*"], [f"type_{number}" for number in range(MOST_TYPES + 1)], "types"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(origins: list[str], types: list[str], field: str):
    with pytest.raises(InvalidKeyError) as refused:
        Publishable.of(origins, types)

    assert refused.value.field == field


def test_it_is_for_pages_of_its_origins_and_any_is_whoever_is_no_page_too():
    shop = Publishable.of(["https://shop.example"])

    assert [shop.admits(origin) for origin in ("https://shop.example", "http://shop.example", "null", None)] == [
        True,
        False,
        False,
        False,
    ]
    assert all(Publishable.of(["*"]).admits(origin) for origin in ("https://shop.example", "null", None))


def test_a_secret_key_has_neither_origins_nor_types():
    assert read_publishable(publishable=False, origins=[], types=[]) is None
    assert read_publishable(publishable=True, origins=["*"], types=["view"]) == Publishable(
        frozenset("*"), frozenset({"view"})
    )
    for origins, types in ((["*"], []), ([], ["view"])):
        with pytest.raises(InvalidKeyError):
            read_publishable(publishable=False, origins=origins, types=types)


@given(st.text(max_size=30))
def test_an_origin_that_was_read_is_read_as_itself(text: str):
    try:
        (read,) = Publishable.of([text]).origins
    except InvalidKeyError:
        return

    assert Publishable.of([read]).origins == {read}
