"""XML through a mapping: records, paths, what stands around a record, faults."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.providers.mapped.paths import Record
from app.adapters.outbound.providers.mapped.record_path import record_path
from app.adapters.outbound.providers.mapped.surroundings import MAX_KEPT
from app.adapters.outbound.providers.mapped.xml_paths import XmlPaths
from app.adapters.outbound.providers.mapped.xml_records import XmlRecords
from app.application.ports.providers import FeedBrokenError, FeedRefusedError
from app.domain.plans import Zone
from tests.support.mapped_feeds import a_mapping, read

EVENT = '<event base_id="b" item_id="{0}" title="Concert {0}" starts="2026-07-01T20:00">{1}</event>\n'
PROGRAMME = """<?xml version="1.0"?>
<guide version="2"><maker>Acme</maker>
  <day date="2026-07-01"><venue id="v1"><name>Hall</name><town>Bilbao</town>
    <show id="1"><title>One</title><cost cur="EUR">5</cost></show>
    <note>first</note>
    <show id="2"><title>Two</title><cost cur="USD">6</cost><cost cur="EUR">7</cost></show>
  </venue><venue id="v2"><name>Club</name>
    <show id="3"><title lang="en">Three <b>and</b> more</title></show><town>Later</town>
  </venue></day>
  <day date="2026-07-02"><note>second</note><venue id="v3"><show id="4"/></venue></day>
</guide>"""


def events(*inside: str, root: str = "feed") -> str:
    return f"<{root}>{''.join(EVENT.format(number, text) for number, text in enumerate(inside, 1))}</{root}>"


def found(path: str, *, content: str = PROGRAMME, records: str = "//show", piece: int = 65_536) -> list[Any]:
    """What a path finds in each record."""
    paths = XmlPaths({"x": "urn:x"})
    compiled = paths.compile(path)
    reading = XmlRecords(BytesIO(content.encode()), "feed", record_path(records, {"x": "urn:x"}), paths, piece=piece)
    return [compiled.first(record.node) for record in reading if isinstance(record, Record)]


PATHS: dict[str, list[Any]] = {
    "@id": ["1", "2", "3", "4"],
    "title": ["One", "Two", "Three and more", None],
    "title/@lang": [None, None, "en", None],
    "title/b": [None, None, "and", None],
    "cost[@cur='EUR']": ["5", "7", None, None],
    "cost[last()]/@cur": ["EUR", "EUR", None, None],
    "count(cost)": [1.0, 2.0, 0.0, 0.0],
    ".//b": [None, None, "and", None],
    "normalize-space(title)": ["One", "Two", "Three and more", ""],
    "../@id": ["v1", "v1", "v2", "v3"],
    "../../@date": ["2026-07-01", "2026-07-01", "2026-07-01", "2026-07-02"],
    "ancestor::day/@date": ["2026-07-01", "2026-07-01", "2026-07-01", "2026-07-02"],
    "../name": ["Hall", "Hall", "Club", None],
    "../town": ["Bilbao", "Bilbao", None, None],
    "../note": [None, "first", None, None],
    "preceding-sibling::note": [None, "first", None, None],
    "preceding-sibling::*[1]/text()": ["Bilbao", "first", "Club", None],
    "ancestor::day/note": [None, None, None, "second"],
    "/guide/maker": ["Acme", "Acme", "Acme", "Acme"],
    "/guide/@version": ["2", "2", "2", "2"],
    "../show/@id": ["1", "2", "3", "4"],
    "concat(../@id, '-', @id)": ["v1-1", "v1-2", "v2-3", "v3-4"],
    "title | ../name": ["Hall", "Hall", "Club", None],
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_a_path_sees_its_record_its_ancestors_and_what_stood_before_it(path: str, expected: list[Any]):
    assert found(path) == expected


@given(piece=st.integers(1, 400), path=st.sampled_from(sorted(PATHS)))
def test_what_a_path_sees_does_not_depend_on_how_the_document_is_cut(piece: int, path: str):
    assert found(path, piece=piece) == PATHS[path]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ("//show", ["1", "2", "3", "4"]),
        ("show", ["1", "2", "3", "4"]),
        ("/guide/day/venue/show", ["1", "2", "3", "4"]),
        ("/guide/*/venue/show", ["1", "2", "3", "4"]),
        ("/guide/show", []),
        ("//venue[@id='v1']/show", ["1", "2"]),
        ("//venue[@id!='v1']/show[@id]", ["3", "4"]),
        ("//day[@date='2026-07-02']/venue/show", ["4"]),
        ("//show[@kind]", []),
    ],
)
def test_records_are_elements_by_their_names_and_attributes(records: str, expected: list[str]):
    assert found("@id", records=records) == expected


def test_a_record_inside_of_a_record_is_a_part_of_it():
    content = '<feed><event id="1"><event id="2"/></event><event id="3"/></feed>'

    assert found("@id", content=content, records="//event") == ["1", "3"]


def test_names_of_a_namespace_have_its_prefix():
    content = '<f xmlns="urn:x" xmlns:y="urn:y"><event id="1"><t>One</t></event><y:event id="2"/></f>'

    assert found("x:t", content=content, records="//x:event") == ["One"]
    assert found("x:t/text()", content=content, records="/x:f/x:event") == ["One"]
    assert found("t", content=content, records="//event") == []


@pytest.mark.parametrize(
    "content",
    [
        events("", ""),
        f"\n  {events('', '')}",
        f"\ufeff{events('', '')}",
        f"\n<?xml version='1.0' encoding='utf-16'?>{events('', '')}",
        f"<!DOCTYPE feed SYSTEM 'feed.dtd'>{events('', '')}",
        events("<!-- a --><?pi?><![CDATA[<event>]]>", ""),
    ],
)
def test_what_honest_documents_look_like_is_read(content: str):
    assert read(content, a_mapping("xml")).titles == ["Concert 1", "Concert 2"]


def test_encodings_are_read_as_the_document_or_else_the_server_says():
    content = events("").replace("Concert", "Ñandú")

    labelled = f"<?xml version='1.0' encoding='iso-8859-1'?>{content}".encode("latin-1")
    assert read(labelled, a_mapping("xml"), charset="utf-8").titles == ["Ñandú 1"]
    assert read(content.encode("latin-1"), a_mapping("xml"), charset="iso8859-1").titles == ["Ñandú 1"]
    assert read(content.encode("utf-16"), a_mapping("xml"), charset="iso8859-1").titles == ["Ñandú 1"]


@pytest.mark.parametrize(
    "content", ["", "{}", "<html><body>Sorry</body></html", "<!DOCTYPE feed [<!ELEMENT feed ANY>]><feed/>", "<?xml?>"]
)
def test_what_is_no_xml_or_declares_entities_is_refused(content: str):
    assert isinstance(read(content, a_mapping("xml")).failure, FeedRefusedError)


def test_a_document_with_another_root_than_the_path_says_is_refused():
    failure = read(events(""), a_mapping("xml", records="/events/event")).failure

    assert isinstance(failure, FeedRefusedError)
    assert "expected a document with root events, found the root feed" in str(failure)


def test_an_empty_feed_is_one_without_records():
    empty = read("<feed><updated>today</updated></feed>", a_mapping("xml"))

    assert (empty.records, empty.failure, empty.unknown) == ([], None, 0)


def test_what_repeats_in_a_feed_without_records_is_unknown():
    assert read("<feed><show/><show/><updated/></feed>", a_mapping("xml")).unknown == 2


def test_a_document_that_ends_in_the_middle_is_broken_after_the_records_before():
    result = read(events("", "").removesuffix("</feed>")[:-20], a_mapping("xml"))

    assert result.titles == ["Concert 1"]
    assert isinstance(result.failure, FeedBrokenError)


def test_more_than_may_be_kept_beside_the_records_is_refused():
    content = f"<feed>{'<note>x</note>' * (MAX_KEPT + 1)}{EVENT.format(1, '')}</feed>"

    assert read(content, a_mapping("xml")).titles == ["Concert 1"]
    assert isinstance(read(content, a_mapping("xml", {"category": "../note"})).failure, FeedRefusedError)


def test_a_record_longer_than_may_be_is_refused():
    content = f"<feed>{EVENT.format(1, 'x' * 9_000_000)}</feed>"

    assert isinstance(read(content, a_mapping("xml")).failure, FeedRefusedError)


def test_what_stands_between_records_may_be_long():
    beside = f"<other>{'<a><b>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</b></a>' * 250_000}</other>"
    content = f"<feed>{EVENT.format(1, '')}{beside}{EVENT.format(2, '')}</feed>"

    assert read(content, a_mapping("xml")).titles == ["Concert 1", "Concert 2"]


def test_a_rejection_names_the_line_of_its_record():
    content = f"<feed>\n\n{EVENT.format(1, '').replace('2026', 'x')}\n{EVENT.format(2, '').replace('2026', 'x')}</feed>"

    assert [rejection.line for rejection in read(content, a_mapping("xml")).rejections] == [3, 5]


def test_zones_are_elements_of_the_record_and_a_faulty_one_costs_itself():
    zones = {"each": "ticket[@sold='no']", "fields": {"zone_id": "@id", "price": "price", "name": "../@title"}}
    tickets = (
        '<ticket id="1" sold="no"><price>5</price></ticket><ticket id="2" sold="yes"><price>6</price></ticket>'
        '<ticket id="3" sold="no"><price>x</price></ticket>'
    )

    result = read(events(tickets), a_mapping("xml", {"zones": zones}))

    assert [(zone.zone_id, str(zone.price), zone.name) for zone in result.plans[0].zones] == [
        ("1", "5.00", "Concert 1")
    ]
    assert [part for part, _ in result.wrong] == ["zone 3: price"]


def test_a_zone_goes_without_a_faulty_name_or_kind_of_seats():
    zones = {"each": "z", "fields": {"zone_id": "@id", "price": "@price", "name": "@name", "numbered": "@numbered"}}
    content = (
        f'<z id="1" price="5" name="{"x" * 2_000}" numbered="1"/><z id="2" price="x" name="B" numbered="perhaps"/>'
    )

    result = read(events(content), a_mapping("xml", {"zones": zones}))

    assert result.plans[0].zones == (Zone("1", 1, Decimal("5.00"), "", numbered=False),)
    assert [part for part, _ in result.wrong] == [
        "zone 1: name",
        "zone 1: numbered",
        "zone 2: price",
        "zone 2: numbered",
    ]


BROKEN = {
    "a bare ampersand": EVENT.format(2, "Fish & chips"),
    "an entity of HTML": EVENT.format(2, "Fish&nbsp;chips"),
    "a control character": EVENT.format(2, "Fish\x01"),
    "a missing end tag": EVENT.format(2, "<b>Fish"),
    "an attribute without quotes": EVENT.format(2, "").replace('"b"', "b"),
    "a less-than sign": EVENT.format(2, "1 < 2"),
    "an ampersand in an attribute": EVENT.format(2, "").replace("Concert", "R&B"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("piece", [20, 65_536])
def test_a_broken_record_costs_that_record(broken: str, piece: int):
    content = f"<feed>\n{EVENT.format(1, '')}{broken}{EVENT.format(3, '')}{EVENT.format(4, '')}</feed>"
    reading = XmlRecords(BytesIO(content.encode()), "feed", record_path("//event", {}), XmlPaths({}), piece=piece)

    records = [
        (one.line, one.node.get("item_id") if isinstance(one, Record) else "broken", one.line) for one in reading
    ]

    assert records == [(2, "1", 2), (3, "broken", 3), (4, "3", 4), (5, "4", 5)]


def test_a_byte_of_another_encoding_costs_its_record():
    content = events("", "", "").encode().replace(b"Concert 2", b"Concert \xf1")

    result = read(content, a_mapping("xml"))

    assert result.titles == ["Concert 1", "Concert 3"]
    assert len(result.rejections) == 1


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_behind_a_broken_record_paths_see_what_they_saw(number: int):
    shows = ['<show id="1">', '<show id="2">', '<show id="3">', '<show id="4"/>']
    broken = PROGRAMME.replace(shows[number], shows[number].replace('"/>', '"><x&/></show>').replace('">', '">&x'))
    path = "concat(../@id, ../name, ../../@date, /guide/maker)"
    whole = ["v1Hall2026-07-01Acme", "v1Hall2026-07-01Acme", "v2Club2026-07-01Acme", "v32026-07-02Acme"]

    if number == 0:  # nothing shows yet where records stand
        with pytest.raises(FeedBrokenError):
            found(path, content=broken.replace('<show id="1">', "<show id=1>"))

    assert found(path, content=broken) == [one for at, one in enumerate(whole) if at != number]


def test_the_last_record_may_be_the_broken_one():
    assert read(events("", "&x"), a_mapping("xml")).titles == ["Concert 1"]
    assert read(events("", "&x"), a_mapping("xml")).failure is None


def test_a_record_that_takes_the_elements_around_it_along_breaks_the_document():
    content = f"<feed><day>{EVENT.format(1, '')}{EVENT.format(2, '&x')}</night>{EVENT.format(3, '')}</feed>"

    result = read(content, a_mapping("xml"))

    assert result.titles == ["Concert 1"]
    assert isinstance(result.failure, FeedBrokenError)


def test_lines_are_told_beyond_what_libxml2_counts():
    content = f"<feed>{chr(10) * 70_000}{EVENT.format(1, '').replace('2026', 'x')}</feed>"

    assert [rejection.line for rejection in read(content, a_mapping("xml")).rejections] == [70_001]
