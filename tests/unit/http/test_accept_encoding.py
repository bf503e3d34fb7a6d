"""What a request may be sent, by RFC 9110, 12.5.3; and what it has already."""

import pytest

from app.adapters.inbound.http.describing.accept_encoding import accepted_codings

LONG = 100_000
TAG = b'"0123456789abcde"'
ZSTD = b'"0123456789abcde-zstd"'
GZIP = b'"0123456789abcde-gzip"'


@pytest.mark.parametrize(
    ("field", "best"),
    [
        (None, None),
        (b"", None),
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"gzip, deflate, br", b"gzip"),
        (b"gzip, deflate", b"gzip"),
        (b"deflate, br", None),
        (b"identity", None),
        (b"GZip", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"zstd;q=0", None),
        (b"zstd;q=0, gzip", b"gzip"),
        (b"zstd;q=0.4, gzip;q=0.5", b"gzip"),
        (b"zstd;q=0.5, gzip;q=0.5", b"zstd"),
        (b"zstd ; q=0.4,gzip\t;\tQ=0.500", b"gzip"),
        (b"*", b"zstd"),
        (b"*;q=0", None),
        (b"gzip;q=1.0, *;q=0", b"gzip"),
        (b"zstd;q=0.1, *", b"gzip"),
        (b"zstd;q=0, *", b"gzip"),
        (b"identity;q=1, *;q=0.5", None),
        (b"identity;q=0.5, gzip;q=0.5", b"gzip"),
        (b"identity;q=0.5, gzip;q=0.4", None),
        (b"gzip;q=2, zstd;q=x, br;level=1", None),
        (b"gzip;level=1, zstd;q=0.5", b"zstd"),
        (b";;q=x,,;q=1, ,gzip", b"gzip"),
        (b"gzip, gzip;q=0", b"gzip"),
        (b"\xff\xfe, gzip", b"gzip"),
        (b"a," * 60 + b"gzip", None),
    ],
)
def test_the_best_coding_that_is_taken_is_chosen(field: bytes | None, best: bytes | None) -> None:
    coding = accepted_codings(field).coding_of(LONG)

    assert (coding and coding.name) == best


@pytest.mark.parametrize(
    ("field", "length", "is_packed"),
    [
        (b"zstd", 1024, True),
        (b"zstd", 1023, False),
        (b"zstd, identity;q=0", 1, True),
        (b"zstd, *;q=0", 1, True),
        (b"zstd, *;q=0.1", 1, False),
        (b"identity;q=0", 5000, False),
    ],
)
def test_what_is_small_is_sent_as_it_is_unless_that_is_refused(field: bytes, length: int, is_packed: bool) -> None:
    assert (accepted_codings(field).coding_of(length) is not None) == is_packed


@pytest.mark.parametrize(
    ("field", "if_none_match", "held"),
    [
        (None, TAG, TAG),
        (None, ZSTD, ZSTD),
        (b"gzip, zstd", TAG, TAG),
        (b"gzip, zstd", ZSTD, ZSTD),
        (b"gzip, zstd", GZIP, GZIP),
        (b"gzip, zstd", b"W/" + GZIP, GZIP),
        (b"gzip, zstd", b'"other", "0123" ,\tW/' + GZIP + b" , " + TAG, GZIP),
        (b"gzip", GZIP, GZIP),
        (b"gzip", ZSTD, None),
        (b"zstd;q=0", ZSTD, None),
        (b"", GZIP, None),
        (b"", TAG, TAG),
        (b"gzip", b"*", TAG),
        (b"gzip", b'"other"', None),
        (b"gzip", b'"0123456789abcde-br"', None),
        (b"gzip", b"0123456789abcde", None),
        (b"gzip", b'"x0123456789abcde"', None),
    ],
)
def test_an_answer_is_held_by_its_tag_in_any_coding_that_is_taken(
    field: bytes | None, if_none_match: bytes, held: bytes | None
) -> None:
    assert accepted_codings(field).held(if_none_match, TAG) == held


def test_fields_are_remembered_up_to_a_bound() -> None:
    for number in range(1_000):
        accepted_codings(b"gzip;q=0.%d" % number)

    assert accepted_codings.cache_info().currsize <= 128
