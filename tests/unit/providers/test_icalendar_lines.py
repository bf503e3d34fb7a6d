"""Lines of an iCalendar file: unfolded wherever they were folded, bounded, and taken apart."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.providers.icalendar.components import MAX_BLOCK, Components
from app.adapters.outbound.providers.icalendar.faults import CutCalendarError, NoCalendarError, UnusableEventError
from app.adapters.outbound.providers.icalendar.lines import MAX_LINE, Line, read_lines
from app.adapters.outbound.providers.icalendar.properties import Property, read_property
from app.adapters.outbound.providers.icalendar.times import read_duration, read_offset, read_time

TEXT = "SUMMARY:Ñandú über 🎭, weit; weit"


def contents(document: bytes) -> list[str]:
    return [line.content.decode() for line in read_lines(BytesIO(document))]


def prop(text: str) -> Property:
    return read_property(Line(7, 0, text.encode(), cut=False))


@given(st.sets(st.integers(1, len(TEXT.encode()) - 1)), st.sampled_from(["\r\n ", "\n ", "\r\n\t"]))
def test_a_line_is_one_wherever_it_is_folded_also_inside_of_a_character(places: set[int], fold: str):
    folded = TEXT.encode()
    for place in sorted(places, reverse=True):
        folded = folded[:place] + fold.encode() + folded[place:]

    assert contents(b"BEGIN:A\r\n" + folded + b"\r\nEND:A\r\n") == ["BEGIN:A", TEXT, "END:A"]


def test_ends_of_lines_may_be_bare_and_a_byte_order_mark_may_come_first():
    assert contents(b"\xef\xbb\xbfBEGIN:A\n\nX:1\r\n\r\nEND:A") == ["BEGIN:A", "X:1", "END:A"]


def test_lines_know_where_they_begin_and_can_be_read_from_there():
    document = b"A:1\r\nB:2\r\n  3\r\nC:4\r\n"
    lines = list(read_lines(BytesIO(document)))

    assert [(line.number, line.offset, line.content) for line in lines] == [
        *((1, 0, b"A:1"), (2, 5, b"B:2 3"), (4, 15, b"C:4"))
    ]
    assert list(read_lines(BytesIO(document), number=2, offset=5)) == lines[1:]


def test_a_reader_goes_on_where_it_was_though_another_one_has_read_meanwhile():
    file = BytesIO(b"A:1\r\nB:2\r\nC:3\r\nD:4\r\n")
    reader = read_lines(file)

    assert next(reader).content == b"A:1"
    assert [line.content for line in read_lines(file)][:2] == [b"A:1", b"B:2"]
    assert [line.content for line in reader] == [b"B:2", b"C:3", b"D:4"]


@pytest.mark.parametrize("fold", [b"", b"\r\n "])
def test_a_line_of_a_megabyte_is_cut(fold: bytes):
    long = fold.join([b"x" * 70] * 20_000)

    first, second = read_lines(BytesIO(b"A:" + long + b"\r\nB:1\r\n"))

    assert (len(first.content), first.cut) == (MAX_LINE, True)
    assert (second.content, second.cut) == (b"B:1", False)


def test_a_property_has_a_name_parameters_and_a_value():
    found = prop('attendee;CN="Doe, Jane; of: Cork";Role=CHAIR,"OPT":mailto:jane@example.com')

    assert found.name == "ATTENDEE"
    assert found.parameters == {"CN": "Doe, Jane; of: Cork", "ROLE": "CHAIR,OPT"}
    assert found.raw == "mailto:jane@example.com"
    assert found.line == 7


def test_parameters_may_say_what_their_quotes_cannot_hold():
    assert prop("X;P=a^n^'b^'^^c^d:1").parameters == {"P": 'a\n"b"^c^d'}


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        (r"SUMMARY:One\, two\; three\nfour\Nfive\\six", ["One, two; three\nfour\nfive\\six"]),
        (r"SUMMARY:A\\, B", ["A\\, B"]),
        (r"CATEGORIES:Jazz,Rock\, Pop,A\\,B", ["Jazz", "Rock, Pop", "A\\", "B"]),
        (r"X-PLACE:Hall\, 2", ["Hall, 2"]),
        (r"URL:https://example.com/a\,b", [r"https://example.com/a\,b"]),
        (r"X-LINK;VALUE=URI:https://example.com/a\,b", [r"https://example.com/a\,b"]),
        ("GEO:60.17;24.94", ["60.17;24.94"]),
        ("SUMMARY:", [""]),
    ],
)
def test_texts_are_unescaped_and_lists_split_and_nothing_else_is_touched(line: str, texts: list[str]):
    assert [value.text for value in prop(line).values()] == texts


@pytest.mark.parametrize("line", ["SUMMARY", "SUMMARY;X:1", 'SUMMARY;X="a:1', ":x", "SUM MARY:1", "SUMMARY:a\x00b"])
def test_what_is_no_line_of_a_calendar_is_refused_with_its_number(line: str):
    with pytest.raises(UnusableEventError, match="line 7 is") as caught:
        prop(line)

    assert caught.value.line == 7


def test_another_encoding_is_refused_with_the_byte_and_the_line():
    with pytest.raises(UnusableEventError, match="line 3 has the byte 0xe9, expected UTF-8"):
        read_property(Line(3, 0, "SUMMARY:Café".encode("latin-1"), cut=False))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("20261024", ("2026-10-24T00:00:00", True, False)),
        ("20261024T190000", ("2026-10-24T19:00:00", False, False)),
        ("20261024t190000z", ("2026-10-24T19:00:00", False, True)),
        ("20261024T240000", ("2026-10-25T00:00:00", False, False)),
        ("20261231T235960Z", ("2026-12-31T23:59:59", False, True)),
    ],
)
def test_dates_and_times(text: str, read: tuple[str, bool, bool]):
    found = read_time("DTSTART", text)

    assert (found.clock.isoformat(), found.whole_day, found.utc) == read


@pytest.mark.parametrize(
    "text", ["", "2026-10-24", "20260230", "20261024T250000", "20261024T19", "20261024T240001", "٢٠٢٦١٠٢٤"]
)
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(UnusableEventError, match=r"DTSTART is .* expected a date"):
        read_time("DTSTART", text)


@pytest.mark.parametrize(
    ("text", "days", "seconds"),
    [("P1W", 7, 0), ("PT24H", 0, 86_400), ("P1DT2H3M4S", 1, 7_384), ("+PT15M", 0, 900), ("PT0S", 0, 0)],
)
def test_durations_keep_days_and_hours_apart(text: str, days: int, seconds: int):
    found = read_duration("DURATION", text)

    assert (found.days, found.exact.total_seconds()) == (days, seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "-PT1H", "1H", "P1H", "PT1.5H"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(UnusableEventError, match="DURATION is"):
        read_duration("DURATION", text)


def test_offsets():
    assert read_offset("TZOFFSETTO", "-0530").total_seconds() == -19_800
    assert read_offset("TZOFFSETTO", "+001820").total_seconds() == 1_100
    with pytest.raises(UnusableEventError, match="TZOFFSETTO is"):
        read_offset("TZOFFSETTO", "0100")


def blocks(*lines: str) -> list[tuple[int, int, list[str], str | None]]:
    """Give calendar, line, contents and fault of each block, up to where the document is cut."""
    found = []
    try:
        for block in Components(BytesIO("\r\n".join(lines).encode())).blocks():
            contents = [line.content.decode() for line in block.lines]
            found.append((block.calendar, block.number, contents, block.fault))
    except CutCalendarError:
        found.append((0, 0, [], "cut"))
    return found


def test_an_alarm_says_nothing_of_its_event():
    assert blocks(
        *("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "BEGIN:VALARM", "DESCRIPTION:Ring", "no line at all"),
        *("END:VALARM", "SUMMARY:One", "END:VEVENT", "END:VCALENDAR"),
    ) == [(1, 2, ["UID:1", "SUMMARY:One"], None)]


def test_an_event_without_its_end_costs_itself():
    assert blocks(
        *("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "BEGIN:VEVENT", "UID:2", "END:VEVENT", "END:VCALENDAR"),
    ) == [
        (1, 2, ["UID:1"], "the next VEVENT begins inside of it: END:VEVENT is missing"),
        (1, 4, ["UID:2"], None),
    ]


def test_a_wrong_end_costs_its_event():
    found = blocks(
        *("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "END:VTODO", "END:VEVENT"),
        *(
            "BEGIN:VEVENT",
            "UID:2",
            "BEGIN:VALARM",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "UID:3",
            "END:VEVENT",
            "END:VCALENDAR",
        ),
    )

    assert [fault for *_, fault in found] == [
        *("line 4 is END:VTODO, expected END:VEVENT", "END:VALARM is missing before line 9", None)
    ]


def test_a_calendar_without_its_end_is_told_as_cut_behind_its_events():
    assert blocks("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "END:VEVENT") == [
        *((1, 2, ["UID:1"], None), (0, 0, [], "cut"))
    ]
    assert blocks("BEGIN:VCALENDAR", "BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "END:VEVENT", "END:VCALENDAR") == [
        *((2, 3, ["UID:1"], None), (0, 0, [], "cut"))
    ]


def test_several_calendars_in_one_file_are_told_apart():
    found = blocks(*2 * ("BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR"))

    assert [calendar for calendar, *_ in found] == [1, 2]


def test_other_components_are_counted():
    document = (
        b"begin:vcalendar\nBEGIN:VTODO\nBEGIN:VALARM\nEND:VALARM\nEND:VTODO\nBEGIN:VTODO\nEND:VTODO\nend:vcalendar\n"
    )
    reader = Components(BytesIO(document))

    assert list(reader.blocks()) == []
    assert reader.ignored == {"VTODO": 2}


@pytest.mark.parametrize(("document", "found"), [(b"", "is empty"), (b"<html>", "'<html>'"), (b"UID:1", "'UID:1'")])
def test_what_is_no_calendar_is_refused(document: bytes, found: str):
    with pytest.raises(NoCalendarError, match=f"{found}.*expected BEGIN:VCALENDAR"):
        list(Components(BytesIO(document)).blocks())


def test_an_event_is_bounded_in_bytes_and_in_depth():
    large = blocks("BEGIN:VCALENDAR", "BEGIN:VEVENT", *["X:" + 998 * "x"] * 1_100, "END:VEVENT", "END:VCALENDAR")
    deep = blocks("BEGIN:VCALENDAR", "BEGIN:VEVENT", *["BEGIN:X"] * 20, "END:VEVENT", "END:VCALENDAR")

    assert large[0][3] == f"it has more than {MAX_BLOCK:,} bytes, expected at most as many"
    assert len(large[0][2]) == MAX_BLOCK // 1_000
    assert "END:X is missing" in (deep[0][3] or "")
