"""Tokens of keys for the URL of a stream."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.stream_tokens import make_token, read_token
from tests.support.access_builders import a_key, key_text
from tests.support.builders import NOW

UNTIL = NOW + timedelta(seconds=60)


def test_a_token_says_of_which_key_it_is_and_until_when():
    read = read_token(make_token(a_key(1), UNTIL))

    assert read is not None
    assert (read.key_id, read.expires_at, read.is_of(a_key(1))) == ("0000000001", UNTIL, True)
    assert key_text(1) not in make_token(a_key(1), UNTIL)


def test_a_token_is_of_one_key_and_for_one_time():
    token = make_token(a_key(1), UNTIL)
    later = token.replace(str(int(UNTIL.timestamp())), str(int(UNTIL.timestamp()) + 1))
    of_other = read_token(token)
    changed = read_token(later)

    assert of_other is not None
    assert changed is not None
    assert not of_other.is_of(a_key(2))
    assert not changed.is_of(a_key(1))


@pytest.mark.parametrize("text", ["", key_text(1), "mqs_0000000001_1_", make_token(a_key(1), UNTIL) + "0"])
def test_what_is_of_another_form_is_none(text: str):
    assert read_token(text) is None


@given(st.text(max_size=100) | st.from_regex(r"mqs_[0-9A-Za-z]{10}_[0-9]{1,11}_[0-9a-f]{64}", fullmatch=True))
def test_no_text_breaks_the_reading(text: str):
    read = read_token(text)

    assert read is None or not read.is_of(a_key(1))
