"""Samples of what doors did not take."""

import pytest

from app.domain.api_keys import PREFIXES, compose
from app.domain.refused_samples import LARGEST_SAMPLE, MASK, RefusedSample, shown_message, shown_sample
from tests.support.builders import NOW


def a_key(prefix: str) -> str:
    return compose("k" * 10, "s" * 32, prefix)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_sample_has_no_key(prefix: str) -> None:
    key = a_key(prefix)

    assert shown_sample(f'{{"key":"{key}"}}'.encode()) == f'{{"key":"{MASK}"}}'
    assert shown_message(f"found {key}") == f"found {MASK}"


def test_a_key_that_begins_before_the_cut_is_masked_too() -> None:
    key = a_key(PREFIXES[0])

    assert shown_sample(b" " * (LARGEST_SAMPLE - 10) + key.encode()).strip() == MASK


@pytest.mark.parametrize("secret", ["Bearer abc.def-1", "Basic dXNlcjpwYXNz", "eyJhbGciOiJ.eyJzdWIi.c2ln"])
def test_a_sample_has_no_token_of_others(secret: str) -> None:
    assert secret.rsplit(maxsplit=1)[-1] not in shown_sample(f'{{"authorization":"{secret}"}}'.encode())


def test_a_sample_is_short_and_text_whatever_was_sent() -> None:
    assert shown_sample(b"\xff" * 10_000) == "\ufffd" * LARGEST_SAMPLE


@pytest.mark.parametrize("record", ['{"user_id":"Zoë \\"1\\""}', '{"user_id":"Zo\\u00eb \\"1\\""}'])
def test_a_sample_is_found_by_the_users_in_it(record: str) -> None:
    sample = RefusedSample("empty", "", record, NOW)

    assert sample.names(['Zoë "1"'])
    assert not sample.names(["bob"])
