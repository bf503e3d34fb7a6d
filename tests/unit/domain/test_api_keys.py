"""How a key looks, and when it is good."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.api_keys import (
    ALPHABET,
    SCANNER,
    TooManyKeysError,
    UnknownKeyError,
    compose,
    digest_of,
    key_id_of,
)
from app.domain.publishable_keys import InvalidKeyError
from tests.support.access_builders import a_key, key_text
from tests.support.builders import NOW

MICROSECOND = timedelta(microseconds=1)
key_ids = st.text(ALPHABET, min_size=10, max_size=10)
secrets = st.text(ALPHABET, min_size=32, max_size=32)


@given(key_id=key_ids, secret=secrets)
def test_every_key_is_found_by_the_scanners_pattern_and_names_its_id(key_id: str, secret: str):
    text = compose(key_id, secret)

    assert SCANNER.fullmatch(text)
    assert (len(text), text[:14]) == (52, f"mqk_{key_id}")
    assert key_id_of(text) == key_id


@given(key_id=key_ids, secret=secrets, place=st.integers(4, 51), letter=st.sampled_from(ALPHABET))
def test_a_key_with_one_wrong_character_is_none(key_id: str, secret: str, place: int, letter: str):
    text = compose(key_id, secret)
    wrong = text[:place] + letter + text[place + 1 :]

    assert (key_id_of(wrong) is None) == (wrong != text)


def test_the_checksum_is_crc_32_in_base_62_as_a_scanner_computes_it():
    body = "0123456789" + "Ab" * 16
    number, digits = crc32(body.encode()), []
    while number:
        digits.append(ALPHABET[number % 62])
        number //= 62

    assert compose(body[:10], body[10:]) == f"mqk_{body}{''.join(reversed(digits)).rjust(6, '0')}"


@pytest.mark.parametrize(
    "text",
    ["", "mqk_", key_text()[:-1], key_text() + "0", key_text() + "\n", " " + key_text(), "x" * 52, "mqk_" + "é" * 48,
     key_text().upper(), "mqk_" + "\ud800" * 48, "x" * 1_000_000],
)  # fmt: skip
def test_what_has_not_the_form_is_none(text: str):
    assert key_id_of(text) is None


def test_only_the_whole_key_matches():
    key = a_key(1)

    assert key.digest == digest_of(key_text(1)) == sha256(key_text(1).encode()).digest()
    assert key.matches(key_text(1))
    assert not any(key.matches(text) for text in (key_text(2), key_text(1)[:-1], key_text(1).swapcase(), "", "\ud800"))


def test_a_key_is_live_until_it_expires_or_is_revoked():
    for_ever, for_a_while = a_key(), a_key(expires_at=NOW)

    assert for_ever.is_live(NOW.replace(year=9999))
    assert for_a_while.is_live(NOW - MICROSECOND)
    assert not for_a_while.is_live(NOW)
    assert not replace(for_ever, revoked_at=NOW).is_live(NOW - MICROSECOND)


def test_errors_say_what_to_do():
    assert str(TooManyKeysError()) == "the user has 2 live keys of this kind already: revoke one first"
    assert str(UnknownKeyError("abc")) == "the user has no key 'abc'"
    assert (str(InvalidKeyError("name", "too long")), InvalidKeyError("name", "").field) == ("name: too long", "name")
