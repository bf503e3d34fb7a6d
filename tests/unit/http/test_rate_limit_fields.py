"""What an answer says of a rate limit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.inbound.http.access.rate_limit_fields import policy, rate_limit_fields, retry_after
from app.application.ports.limits import Bucket, Quota, Rate

PARAMETER = r";[a-z*][a-z0-9_.*-]*=\d{1,15}"
LIST_OF_ONE_STRING = re.compile(rf'"[ !#-\[\]-~]*"({PARAMETER})*'.encode())


def a_quota(
    allowed: bool = True, rate: Rate | None = None, remaining: int = 99, reset: float = 0.02, retry: float = 0.0
) -> Quota:
    return Quota(allowed=allowed, rate=rate or Rate(50, 100), remaining=remaining, reset_after=reset, retry_after=retry)


def test_an_answer_says_what_is_allowed_and_what_is_left() -> None:
    fields = rate_limit_fields(Bucket.READS, a_quota())

    assert dict(fields) == {b"ratelimit-policy": b'"reads";q=100;w=2', b"ratelimit": b'"reads";r=99;t=1'}


def test_a_refusal_says_when_to_come_again() -> None:
    fields = rate_limit_fields(Bucket.CHANGES, a_quota(allowed=False, remaining=0, reset=2.0, retry=0.3))

    assert dict(fields) == {
        b"ratelimit-policy": b'"changes";q=100;w=2',
        b"ratelimit": b'"changes";r=0;t=2',
        b"retry-after": b"1",
    }


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, 1), (0.001, 1), (1.0, 1), (1.0001, 2), (59.5, 60), (-0.1, 1), (1e300, 999_999_999_999_999)],
)
def test_whole_seconds_are_rounded_up_and_never_none(seconds: float, told: int) -> None:
    assert retry_after(a_quota(allowed=False, retry=seconds)) == told


def test_a_full_bucket_needs_no_time() -> None:
    assert (b"ratelimit", b'"search";r=100;t=0') in rate_limit_fields(Bucket.SEARCH, a_quota(remaining=100, reset=0))


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (Rate(50, 100), "q=100;w=2"),
        (Rate(50, 10), "q=10;w=1"),
        (Rate(0.5, 1), "q=1;w=2"),
        (Rate(3, 10), "q=10;w=4"),
        (Rate(1e-9, 1_000_000), "q=1000000;w=999999999999999"),
    ],
)
def test_a_policy_is_what_a_bucket_holds_in_the_seconds_in_which_it_fills(rate: Rate, told: str) -> None:
    assert policy(Bucket.INGEST, rate) == f'"ingest";{told}'


@given(
    st.sampled_from(Bucket),
    st.builds(
        Quota,
        allowed=st.booleans(),
        rate=st.builds(Rate, st.floats(1e-12, 1e6), st.integers(1, 10**6)),
        remaining=st.integers(0, 10**6),
        reset_after=st.floats(0, 1e12),
        retry_after=st.floats(0, 1e12),
    ),
)
def test_fields_are_structured_fields_whatever_the_quota(bucket: Bucket, quota: Quota) -> None:
    fields = dict(rate_limit_fields(bucket, quota))

    assert LIST_OF_ONE_STRING.fullmatch(fields.pop(b"ratelimit"))
    assert LIST_OF_ONE_STRING.fullmatch(fields.pop(b"ratelimit-policy"))
    assert all(value.isdigit() for value in fields.values())
    assert (b"retry-after" in fields) is not quota.allowed
