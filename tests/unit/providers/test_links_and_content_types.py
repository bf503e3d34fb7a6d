"""What headers of an answer say of the document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.providers.fetching.content_types import media_type
from app.adapters.outbound.providers.fetching.links import target_of


@pytest.mark.parametrize(
    ("header", "target"),
    [
        (None, None),
        ("", None),
        ("</2>; rel=next", "/2"),
        ('</1>; rel="prev", </3?a=1,2&b=<>; rel="next"', None),
        ('</1>; rel="prev", </3?a=1,2&b=3>; rel="next"', "/3?a=1,2&b=3"),
        ('</1>; title="x, </2>; rel=next"; rel=prev', None),
        ('< /2 >;REL = "last Next"', "/2"),
        ("</2>; rel=prev; rel=next", None),
        ("</2>; rel*=next", None),
        ("</1>; rel, </2>; rel=next", "/2"),
        ('</2>; rel="next', None),
    ],
)
def test_the_first_link_of_a_relation_is_found(header: str | None, target: str | None) -> None:
    assert target_of(header, "next") == target


@given(st.text(alphabet='<>;,"\\= relnxt/', max_size=40))
def test_a_link_header_of_any_kind_is_read(header: str) -> None:
    assert target_of(f"{header}, </2>; rel=last", "gone") is None


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, (None, None)),
        ("Text/XML", ("text/xml", None)),
        ('application/json; charset="ISO-8859-1"', ("application/json", "iso8859-1")),
        ("text/xml;charset=utf8;charset=latin1", ("text/xml", "utf-8")),
        ("text/xml; charset=windows-1252", ("text/xml", "cp1252")),
        ("text/xml; charset=unicode_escape", ("text/xml", None)),
        ("text/xml; charset=hex", ("text/xml", None)),
        ("text/xml; charset=nobody", ("text/xml", None)),
        ("nonsense", (None, None)),
        ("text/xml; x=" + "x" * 2_000, (None, None)),
    ],
)
def test_a_content_type_says_a_media_type_and_a_character_set(
    header: str | None, said: tuple[str | None, str | None]
) -> None:
    assert media_type(header) == said
