"""Looking at feeds that nobody has described: what they are, where their records are, and which field is which."""

import csv
import io
import json
from xml.sax.saxutils import escape

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.inspection.inspect_document import Document, Inspection, inspect_document
from app.adapters.outbound.providers.inspection.yaml_text import yaml_lines
from app.adapters.outbound.providers.mapped.compile_mapping import compile_mapping
from tests.support.unknown_feeds import FEEDS, UnknownFeed

FILES = {feed.file: feed for feed in FEEDS}
every_feed = pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.file)


def looked_at(feed: UnknownFeed) -> Inspection:
    return inspect_document(Document(head=feed.document, is_whole=True, timezone=feed.timezone))


def of_text(text: str, **more: object) -> Inspection:
    return inspect_document(Document(head=text.encode(errors="replace"), is_whole=True, **more))  # type: ignore[arg-type] # of a test


@every_feed
def test_a_mapping_is_proposed_for_every_feed(feed: UnknownFeed) -> None:
    found = looked_at(feed)

    assert (found.kind, found.trouble) == ("mapped", None)
    assert found.options["format"] == "icalendar" or {"title", "starts"} <= set(found.options["fields"])


@every_feed
def test_the_proposal_is_yaml_that_says_what_was_proposed(feed: UnknownFeed) -> None:
    found = looked_at(feed)

    written = "\n".join(yaml_lines(found.options, found.notes))

    assert yaml.safe_load(written) == found.options


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("attributes_only.xml", {"format": "xml", "records": "/programme/event"}),
        ("nested_venues.xml", {"format": "xml", "records": "/agenda/venue/show"}),
        ("atom_with_ev.xml", {"format": "xml", "records": "/n:feed/n:entry"}),
        ("a_list_of_objects.json", {"format": "json", "records": "$[*]"}),
        ("json_ld_graph.json", {"format": "json", "records": '$["@graph"][*]'}),
        ("ticketmaster_like.json", {"format": "json", "records": "$._embedded.events[*]"}),
        ("a_city_with_lists_of_dates.json", {"format": "json", "records": "$.data[*].dates[*]"}),
        ("lines.ndjson", {"format": "ndjson"}),
        ("csv_of_a_theatre.csv", {"format": "csv", "delimiter": ";"}),
        ("exhibitions.tsv", {"format": "csv", "delimiter": "\t"}),
        ("csv_of_america.csv", {"format": "csv"}),
        ("icalendar_with_rrule.ics", {"format": "icalendar"}),
    ],
)
def test_records_are_what_has_the_dates_of_nested_repeats_the_innermost(file: str, expected: dict[str, str]) -> None:
    options = looked_at(FILES[file]).options

    assert {key: options.get(key) for key in ("format", "records", "delimiter") if options.get(key)} == expected


@pytest.mark.parametrize(
    ("file", "field", "expected"),
    [
        ("elements_only_german.xml", "starts", {"path": "Beginn", "format": "%d.%m.%Y %H:%M"}),
        ("elements_only_german.xml", "price", {"path": "Preis", "number": "1.234,56 €"}),
        ("elements_only_german.xml", "status", {"path": "Zustand", "map": {"abgesagt": "cancelled", "*": "scheduled"}}),
        ("nested_venues.xml", "base_id", "../@id"),
        ("nested_venues.xml", "item_id", "@ref"),
        ("nested_venues.xml", "place", {"name": "../name", "city": "../city"}),
        ("xmltv.xml", "starts", {"path": "@start", "format": "%Y%m%d%H%M%S %z"}),
        ("xmltv.xml", "base_id", "@channel"),
        ("rss_with_ev.xml", "starts", "n:startdate"),
        ("eventbrite_like.json", "zone", "$.start.timezone"),
        ("eventbrite_like.json", "title", "$.name.text"),
        ("rpde.json", "starts", "$.data.startDate"),
        ("unix_times.json", "starts", {"path": "$.start_ts", "format": "unix"}),
        ("no_ids.json", "ends", {"path": "$.päättyy", "format": "%d.%m.%Y %H.%M"}),
        ("csv_of_a_theatre.csv", "starts", {"join": ["Fecha", "Hora"], "format": "%d/%m/%Y %H:%M"}),
        ("csv_of_a_theatre.csv", "ends", {"path": "Fin", "format": "time"}),
        ("csv_of_america.csv", "starts", {"join": ["date", "start time"], "format": "%m/%d/%Y %I:%M %p"}),
        ("csv_of_america.csv", "price", {"path": "price", "number": "$1234.56"}),
        ("csv_of_america.csv", "currency", {"value": "USD"}),
        ("exhibitions.tsv", "starts", "start_date"),
        ("calendar_of_a_blog.json", "starts", "$.start_date"),
        (
            "places_of_geojson.json",
            "price",
            {"path": "$.properties.tarif", "number": "1234.56 €", "map": {"Gratuit": "0"}},
        ),
        ("lines.ndjson", "place", {"name": "$.venue.name"}),
    ],
)
def test_fields_are_told_by_their_names_in_several_languages_and_by_their_values(
    file: str, field: str, expected: object
) -> None:
    assert looked_at(FILES[file]).options["fields"][field] == expected


def test_tickets_inside_of_a_record_are_its_zones() -> None:
    zones = looked_at(FILES["tickets_as_parts.xml"]).options["fields"]["zones"]

    assert zones["each"] == "tickets/ticket"
    assert zones["fields"] == {
        "zone_id": "@id",
        "name": "@name",
        "price": "@price",
        "capacity": "@available",
    }


def test_deleted_records_and_further_pages_are_seen() -> None:
    options = looked_at(FILES["rpde.json"]).options

    assert options["deleted"] == {"path": "$.state", "equals": "deleted"}
    assert options["pages"] == {"next": "$.next", "until": "empty"}
    assert options["incremental"] is True


def test_records_of_another_type_are_passed_over() -> None:
    assert looked_at(FILES["json_ld_graph.json"]).options["where"] == {
        "path": '$["@type"]',
        "in": ["MusicEvent", "TheaterEvent"],
    }


def test_the_position_of_geojson_is_east_before_north() -> None:
    place = looked_at(FILES["places_of_geojson.json"]).options["fields"]["place"]

    assert (place["latitude"], place["longitude"]) == ("$.geometry.coordinates[1]", "$.geometry.coordinates[0]")


def test_a_column_of_two_date_formats_is_read_by_both() -> None:
    rows = [f"{day}.05.2026" for day in range(10, 18)] + ["2026-06-01", "2026-06-02"]

    found = of_text("id,title,date\n" + "".join(f"{number},A,{day}\n" for number, day in enumerate(rows)))

    assert found.options["fields"]["starts"] == {"path": "date", "format": ["%d.%m.%Y", "iso"]}


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("id,name,X1", "7,A,2026-05-01", "X1"),
        ("id,name,X1,X2", "7,A,2026-05-01,19:30", {"join": ["X1", "X2"], "format": "%Y-%m-%d %H:%M"}),
        ("id,name,X1,bis", "7,A,2026-05-01,19:30", "X1"),
        ("id,name,date,start_date", "7,A,2026-04-01,2026-05-01", "start_date"),
        ("id,name,date,event_start_date", "7,A,2026-04-01,2026-05-01", "event_start_date"),
        ("id,name,Ende Datum,Beginn Datum", "7,A,2026-05-02,2026-05-01", "Beginn Datum"),
    ],
)
def test_a_start_is_told_by_its_name_before_a_bare_date_and_by_its_values_when_there_is_no_other(
    header: str, row: str, expected: object
) -> None:
    assert of_text(f"{header}\n{row}\n").options["fields"]["starts"] == expected


def test_of_two_dates_that_nothing_names_none_is_taken() -> None:
    assert of_text("id,name,X1,X2\n7,A,2026-05-01,2026-05-02\n").kind is None


def test_words_for_yes_and_no_are_told_by_the_proposal() -> None:
    found = of_text("id,name,start,sold out\n7,A,2026-05-01,nej\n8,B,2026-05-02,Ja\n")

    assert found.options["fields"]["sold_out"] == {"path": "sold out", "map": {"Ja": True, "nej": False}}


def test_a_number_is_a_time_only_where_it_is_called_so() -> None:
    found = of_text("id,name,date,time,year\n7,A,2026-05-01,1930,2026\n8,B,2026-05-02,2015,2026\n")

    assert found.options["fields"]["starts"] == {"join": ["date", "time"], "format": "%Y-%m-%d %H%M"}


def test_a_day_that_holds_a_list_gives_a_record_for_each_of_it() -> None:
    found = of_text(json.dumps([{"date": "2026-05-01", "events": [{"name": "A"}, {"name": "B"}]}]))

    assert found.options["records"] == "$[*].events[*]"
    assert found.options["fields"]["starts"] == {"path": "$[0].date", "of": "document"}


def test_a_title_in_several_languages_makes_no_records() -> None:
    names = [{"lang": "fi", "name": "A"}, {"lang": "en", "name": "B"}]

    found = of_text(json.dumps([{"id": number, "date": "2026-05-01", "names": names} for number in (7, 8)]))

    assert found.options["records"] == "$[*]"


@pytest.mark.parametrize(
    ("header", "cell", "expected"),
    [
        ("duration minutes", "90", {"path": "duration minutes", "format": "minutes"}),
        ("Dauer", "90", {"path": "Dauer", "format": "minutes"}),
        ("duration", "PT1H30M", {"path": "duration", "format": "duration"}),
        ("duration seconds", "90", None),
        ("min price", "90", None),
        ("duration", "5400", None),
    ],
)
def test_an_end_that_no_time_tells_is_told_by_a_length(header: str, cell: str, expected: object) -> None:
    found = of_text(f"id,name,start,{header}\n7,A,2026-05-01T20:00,{cell}\n")

    assert found.options["fields"].get("ends") == expected


def test_the_minutes_of_an_hour_are_no_length() -> None:
    record = {"id": 7, "name": "A", "start": "2026-05-01T20:30", "start_details": {"hour": 20, "minutes": 30}}

    assert "ends" not in of_text(json.dumps([record])).options["fields"]


def test_a_price_that_is_called_cents_is_in_cents() -> None:
    found = of_text(json.dumps([{"id": 7, "name": "A", "start": "2026-05-01T20:30", "minPriceCents": 1550}]))

    assert found.options["fields"]["price"] == {"path": "$.minPriceCents", "number": "cents"}


def test_what_stands_behind_a_fault_of_xml_is_looked_at_too() -> None:
    items = [
        f"<item><id>{number}</id><title>A{mark}</title><start>2026-05-0{number}</start></item>"
        for number, mark in ((1, ""), (2, " & B"), (3, ""))
    ]

    found = of_text(f"<list>{''.join(items)}</list>")

    assert (found.repeated[0].count, found.options["fields"]["item_id"]) == (3, "id")


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ({"meta": {"next_cursor": "eyJ"}}, {"next": "$.meta.next_cursor", "parameter": "cursor"}),
        ({"nextPageToken": "CAE="}, {"next": "$.nextPageToken", "parameter": "pageToken"}),
        ({"meta": {"cursor": {"next": "c2"}}}, {"next": "$.meta.cursor.next", "parameter": "cursor"}),
        ({"meta": {"next": 2}}, {"next": "$.meta.next", "parameter": "page"}),
        ({"meta": {"cursor": {"next": "https://x.example/?c=2"}}}, {"next": "$.meta.cursor.next"}),
        ({"links": {"next": None}}, {"next": "$.links.next"}),
    ],
)
def test_a_cursor_needs_a_parameter_and_a_url_none(around: dict[str, object], expected: dict[str, str]) -> None:
    record = {"id": 7, "name": "A", "start": "2026-05-01T20:30"}

    assert of_text(json.dumps({"data": [record], **around})).options["pages"] == {**expected, "until": "empty"}


def test_a_title_that_nothing_names_is_what_reads_like_one() -> None:
    found = of_text("k1,k2,start\nb7,Night of Kites,2026-05-01\nb8,Paper Choir,2026-05-02\n")

    assert found.options["fields"]["title"] == "k2"


def test_without_ids_start_and_title_are_all_there_is() -> None:
    found = looked_at(FILES["no_ids.json"])

    assert "item_id" not in found.options["fields"]
    assert any("no item_id" in note for note in found.notes["fields.base_id"])


def test_a_feed_of_the_built_in_kind_needs_no_mapping() -> None:
    found = of_text('<planList version="1.0"><output><base_plan base_plan_id="1"/></output></planList>')

    assert (found.kind, found.options) == ("plan-list-xml", {})


def test_a_document_without_dates_gives_no_proposal() -> None:
    found = of_text('{"fruits": [{"name": "apple"}, {"name": "pear"}]}')

    assert found.kind is None
    assert found.repeated[0].path == "fruits"
    assert "start" in str(found.trouble)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            '{"rows": [["1", "One", "soon"], ["2", "Two", "later"]]}',
            "the records $.rows[*], with their first values: $[0]",
        ),
        (
            "<a><e n='1'><t>One</t></e><e n='2'><t>Two</t></e></a>",
            "/a/e, with their first values: @n (1), t (One)",
        ),
        ("nr;name\n1;One\n2;Two\n", "the paths with their first values: nr (1), name (One)"),
    ],
)
def test_without_a_proposal_the_paths_are_told(document: str, expected: str) -> None:
    assert expected in str(of_text(document).trouble)


@pytest.mark.parametrize(
    ("timezone", "dates", "format_", "said"),
    [
        (None, ("01/02/2026", "13/02/2026"), "%d/%m/%Y", None),
        (None, ("02/01/2026", "02/13/2026"), "%m/%d/%Y", None),
        (None, ("01/02/2026", "02/02/2026"), "%d/%m/%Y", "as days do"),
        (None, ("02/01/2026", "02/03/2026", "02/04/2026"), "%m/%d/%Y", "as days do"),
        ("America/Denver", ("02/02/2026", "02/02/2026"), "%m/%d/%Y", "America/Denver writes the month first"),
        (None, ("01/02/2026", "02/01/2026"), "%d/%m/%Y", "most of the world"),
        (None, ("12/04/2026", "12/05/2026", "12/06/2026", "12/07/2026", "12/15/2026"), "%m/%d/%Y", None),
        ("America/Denver", ("01.02.2026", "01.03.2026"), "%d.%m.%Y", "with dots"),
    ],
)
def test_a_date_that_can_be_read_in_two_ways_is_read_in_one_and_both_are_said(
    timezone: str | None, dates: tuple[str, ...], format_: str, said: str | None
) -> None:
    rows = "\n".join(f"{number},A,{date}" for number, date in enumerate(dates))

    found = of_text(f"id,title,date\n{rows}\n", timezone=timezone)

    assert found.options["fields"]["starts"] == {"path": "date", "format": format_}
    doubts = [note for note in found.notes["fields.starts"] if note.startswith("in doubt")]
    assert ([said in doubt for doubt in doubts] if said else doubts) == ([True] if said else [])


def test_what_a_feed_says_never_leaves_its_comment() -> None:
    title = "One\n  url: file:///etc\u2028danger: true\x85more\r\x1b[31m"
    document = yaml.safe_dump([{"id": number, "title": title, "start": "2026-05-01"} for number in (1, 2)])

    found = of_text(json.dumps(yaml.safe_load(document)))
    written = "\n".join(yaml_lines(found.options, found.notes))

    assert yaml.safe_load(written) == found.options
    assert not set("\u2028\x85\r\x1b") & set(written)


@every_feed
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_a_document_that_breaks_off_anywhere_is_looked_at_up_to_there(feed: UnknownFeed, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(feed.document)))

    found = inspect_document(Document(head=feed.document[:cut], is_whole=False, timezone=feed.timezone))

    assert found.recognised.said


def test_the_beginning_of_a_long_document_is_enough() -> None:
    records = ",".join(f'{{"id": {number}, "title": "T", "start": "2026-05-01T20:00:00Z"}}' for number in range(1000))
    document = f'{{"events": [{records}'.encode()

    found = inspect_document(Document(head=document[:20_000], is_whole=False))

    assert found.options["records"] == "$.events[*]"


NAMES = st.sampled_from(
    [
        *(
            "id",
            "@id",
            "title",
            "name",
            "start",
            "start_date",
            "date",
            "time",
            "end",
            "fin",
            "Beginn",
            "price",
            "hinta",
        ),
        *(
            "venue",
            "location",
            "city",
            "lat",
            "lon",
            "url",
            "image",
            "type",
            "state",
            "status",
            "cancelled",
            "tz",
            "draft",
        ),
        *("tickets", "series", "currency", "onsale", "päivä", "a-b", "x.y", "$", "", "next", "sold_out", "{x}y"),
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        [
            *(
                "2026-05-01",
                "2026-05-01T20:00:00Z",
                "2026-05-01 24:00",
                "01/02/2026",
                "1.2.2026 19.30",
                "20260501",
                "7:30 PM",
            ),
            *(
                "1777654800",
                "12,50 €",
                "1'048.00",
                "$25",
                "-",
                "0",
                "GB",
                "EUR",
                "Europe/Helsinki",
                "https://a.example/b.jpg",
            ),
            *(
                "cancelled",
                "deleted",
                "updated",
                "draft",
                "yes",
                "Fri, 01 May 2026 20:00:00 +0300",
                "May 1, 2026",
                "60.1",
                "1e400",
            ),
        ]
    ),
)
RECORDS = st.lists(
    st.dictionaries(
        NAMES,
        st.one_of(
            VALUES, st.lists(VALUES, max_size=3), st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=3)
        ),
        max_size=8,
    ),
    min_size=1,
    max_size=6,
)


DATED = {"title": "Opera", "start": "2026-05-01T20:00:00Z"}


@pytest.mark.parametrize(
    "records",
    [
        [{**DATED, "draft": True}, {"title": "Ballet", "draft": False}],
        [*({"title": "Ballet", "start": "soon"} for _ in range(440)), *([DATED] * 60)][::-1],
    ],
    ids=["the drafts alone have a start", "most of those further on have none"],
)
def test_records_are_mapped_by_a_start_that_few_of_them_have(records: list[dict[str, object]]) -> None:
    found = of_text(json.dumps(records))

    assert found.options["fields"]["starts"] == "$.start"
    compile_mapping(found.options)


@settings(max_examples=60, deadline=None)
@given(records=RECORDS, wrapped=st.booleans())
def test_whatever_json_says_what_is_proposed_is_a_mapping(records: list[dict[str, object]], *, wrapped: bool) -> None:
    _assert_valid(json.dumps({"items": records, "next": "x"} if wrapped else records))


@settings(max_examples=50, deadline=None)
@given(names=st.lists(NAMES.filter(bool), min_size=2, max_size=8, unique=True), data=st.data())
def test_whatever_csv_says_what_is_proposed_is_a_mapping(names: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.lists(VALUES, min_size=len(names), max_size=len(names)), min_size=1, max_size=5))
    written = io.StringIO()
    csv.writer(written).writerows([names, *rows])

    _assert_valid(written.getvalue())


@settings(max_examples=50, deadline=None)
@given(records=st.lists(st.dictionaries(st.sampled_from(["id", "start", "date", "name", "s:end"]), VALUES), min_size=1))
def test_whatever_xml_says_what_is_proposed_is_a_mapping(records: list[dict[str, object]]) -> None:
    words = {value: _xml_text(value) for record in records for value in map(str, record.values())}
    items = "".join(
        "<item>" + "".join(f"<{name}>{words[str(value)]}</{name}>" for name, value in record.items()) + "</item>"
        for record in records
    )

    _assert_valid(f'<items xmlns:s="urn:s">{items}</items>')


def _xml_text(value: str) -> str:
    return escape("".join(letter for letter in value if letter.isprintable()))


def _assert_valid(document: str) -> None:
    found = of_text(document)

    if found.kind == "mapped":
        compile_mapping(found.options)
        assert yaml.safe_load("\n".join(yaml_lines(found.options, found.notes))) == found.options
