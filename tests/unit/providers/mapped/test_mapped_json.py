"""JSON and NDJSON through a mapping: cutting, faults, paths of the document."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.providers.mapped.json_records import JsonRecords
from app.adapters.outbound.providers.mapped.paths import BrokenRecord
from app.application.ports.providers import FeedBrokenError, FeedRefusedError
from tests.support.mapped_feeds import a_mapping, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


class InPieces:
    """A file that gives as many bytes at a time as a test says."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._file = BytesIO(content)
        self._sizes = sizes or [7]
        self._turn = 0

    def read(self, size: int, /) -> bytes:
        self._turn += 1
        return self._file.read(min(size, self._sizes[self._turn % len(self._sizes)]))


def a_record(number: int, **said: object) -> dict[str, Any]:
    return {"base_id": "b", "item_id": str(number), "title": f"Concert {number}", "starts": "2026-07-01T20:00", **said}


def nodes(content: bytes, path: str, sizes: list[int] | None = None) -> list[Any]:
    found = JsonRecords(InPieces(content, sizes or [1 << 20]), "feed", path)
    return [one.message if isinstance(one, BrokenRecord) else one.node for one in found]


@given(
    records=st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), max_size=5),
    before=JSON,
    after=JSON,
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_records_are_cut_out_of_a_document_that_comes_in_pieces_of_any_size(  # noqa: PLR0917
    records: list[Any], before: Any, after: Any, sizes: list[int], indent: int | None, ascii_only: bool
):
    document = {"before": before, "data": {"x": [before], "events": records, "y": after}, "after": after}
    content = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if b"\xed" in content:
        return  # half a letter is no UTF-8

    assert nodes(content, "$.data.events[*]", sizes) == json.loads(content)["data"]["events"]


@pytest.mark.parametrize(
    ("content", "path", "expected"),
    [
        ('[{"a": 1}, {"a": 2}]', "$[*]", [{"a": 1}, {"a": 2}]),
        ('{"a": {"b": [1, 2]}}', "$.a.b[*]", [1, 2]),
        ('{"a": {"x": {"n": 1}, "y": {"n": 2}}}', "$.a[*]", [{"n": 1}, {"n": 2}]),
        ('{"a": [{"d": [1, 2]}, {"d": []}, {}, {"d": [3]}]}', "$.a[*].d[*]", [1, 2, 3]),
        ('{"a": [[1], [2, 3]]}', "$.a[*][*]", [1, 2, 3]),
        ('{"a": [{"d": {"e": 1}}]}', "$.a[*].d", [{"e": 1}]),
        ('{"a": {"n": 1}}', "$.a", [{"n": 1}]),
        ('{"n": 1}', "$", [{"n": 1}]),
        ('{"a": []}', "$.a[*]", []),
        ('{"a": null}', "$.a[*]", []),
        ('{"a b": {"c.d": [1]}}', "$['a b']['c.d'][*]", [1]),
        ("\ufeff[1]", "$[*]", [1]),
    ],
)
def test_records_are_found_where_the_path_says(content: str, path: str, expected: list[Any]):
    found = read(content, a_mapping("json", records=path))

    assert found.failure is None
    assert len(found.rejections) == len(expected)
    if not content.startswith("\ufeff"):
        assert nodes(content.encode(), path) == expected


@pytest.mark.parametrize("content", ["{}", '{"error": "try again"}', '{"a": {}}', "[]", '{"a": 5}', '{"a": "x"}'])
def test_a_document_without_the_list_of_records_is_refused(content: str):
    path = "$.a.b[*]" if content in {"{}", '{"a": {}}', '{"error": "try again"}', "[]"} else "$.a[*]"

    failure = read(content, a_mapping("json", records=path)).failure

    assert isinstance(failure, FeedRefusedError)
    assert path in str(failure)


@pytest.mark.parametrize("content", ["", "  ", "<html></html>"])
def test_what_is_no_json_is_refused(content: str):
    assert isinstance(read(content, a_mapping("json")).failure, FeedRefusedError)


@pytest.mark.parametrize(
    "broken",
    [
        '{"title": "x" "y"}',
        '{"title": nope}',
        '{"title": "a\\x"}',
        '{"title": [1,,2]}',
        "{title: 1}",
        '{"title": NaN}',
        '{"title": "a\nb"}',
        "nope",
        '{"title": 1e400}',
    ],
)
def test_a_broken_record_costs_that_record(broken: str):
    before, after = json.dumps(a_record(1)), json.dumps(a_record(2))

    found = read(f'{{"events": [{before},\n{broken},\n{after}]}}', a_mapping("json"))

    assert found.failure is None
    assert found.titles == ["Concert 1", "Concert 2"]
    [rejection] = found.rejections
    assert rejection.line == 2
    assert rejection.source.startswith(broken[:4])


def test_a_record_of_other_bytes_than_utf_8_costs_that_record():
    content = (
        json.dumps({"events": [a_record(1), a_record(2, note="@@"), a_record(3)]}).encode().replace(b"@@", b"\xff")
    )

    found = read(content, a_mapping("json"))

    assert found.titles == ["Concert 1", "Concert 3"]
    assert len(found.rejections) == 1


@pytest.mark.parametrize("end", ["", "]", '{"base_id": "b"', '{"base_id": "b', "{}", ', {"a": 1}}', "nul"])
def test_a_document_that_ends_in_the_middle_is_broken_after_the_records_before(end: str):
    found = read(f'{{"events": [{json.dumps(a_record(1))}, {end}', a_mapping("json"))

    assert found.titles == ["Concert 1"]
    assert isinstance(found.failure, FeedBrokenError)
    assert found.failure.line == 1


def test_what_stands_behind_the_document_breaks_it():
    assert isinstance(read('{"events": []} {}', a_mapping("json")).failure, FeedBrokenError)


def test_a_record_knows_its_line():
    rows = ",\n\n".join(json.dumps(a_record(number, starts="x")) for number in range(3))

    found = read(f'{{\n"events": [\n{rows}\n]}}', a_mapping("json"))

    assert [rejection.line for rejection in found.rejections] == [3, 5, 7]


def test_a_record_of_a_list_inside_sees_the_objects_around_it_through_the_document():
    document = {
        "venue": {"name": "Hall"},
        "events": [{"id": 7, "dates": [{"start": "2026-07-01"}, {"start": "2026-07-02"}], "name": "Fair"}],
    }
    fields = {
        "base_id": {"path": "$.events[0].id", "of": "document"},
        "item_id": {"path": "$.events[0].dates[0].start", "of": "document"},
        "title": {"path": "$.events[0].name", "of": "document"},
        "starts": "$.start",
        "place": {"path": "$.venue.name", "of": "document"},
    }

    found = read(json.dumps(document), a_mapping("json", fields, records="$.events[*].dates[*]"))

    assert [(plan.key.base_id, plan.key.item_id, plan.title) for plan in found.plans] == [
        ("7", "2026-07-01", "Fair"),
        ("7", "2026-07-02", "Fair"),
    ]
    assert found.plans[1].details
    assert found.plans[1].details.place
    assert found.plans[1].details.place.name == "Hall"


def test_what_stands_behind_the_record_is_not_seen_through_the_document():
    document = {"events": [a_record(1)], "currency": "EUR"}
    fields = {"currency": {"path": "$.currency", "of": "document"}}

    assert read(json.dumps(document), a_mapping("json", fields)).plan.details is None


def test_entries_in_none_of_which_a_record_stood_are_unknown():
    found = read(json.dumps({"events": [{"x": 1}, {"x": 2}]}), a_mapping("json", records="$.events[*].dates[*]"))

    assert (found.records, found.unknown) == ([], 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str):
    content = json.dumps({"events": [a_record(1, title="Ñandú")]}, ensure_ascii=False).encode(encoding)

    assert read(content, a_mapping("json"), charset="latin-1" if encoding != "utf-8" else None).titles == ["Ñandú"]


def test_the_charset_of_the_server_counts_where_the_document_says_none():
    content = json.dumps({"events": [a_record(1, title="Ñandú")]}, ensure_ascii=False).encode("latin-1")

    assert read(content, a_mapping("json"), charset="iso8859-1").titles == ["Ñandú"]
    assert read(content, a_mapping("json", encoding="latin-1")).titles == ["Ñandú"]
    assert read(content, a_mapping("json")).titles == []


def test_a_byte_that_its_encoding_has_not_costs_that_record():
    content = json.dumps({"events": [a_record(1), a_record(2, note="@"), a_record(3)]}).encode().replace(b"@", b"\x81")

    assert read(content, a_mapping("json"), charset="cp1252").titles == ["Concert 1", "Concert 3"]


def test_other_jsonpaths_are_asked_of_the_library():
    fields = {"title": "$.names[?@.lang == 'en'].text", "category": "$..genre"}
    record = a_record(1, names=[{"lang": "de", "text": "Messe"}, {"lang": "en", "text": "Fair"}], more={"genre": "x"})

    plan = read(json.dumps({"events": [record]}), a_mapping("json", fields)).plan

    assert plan.title == "Fair"
    assert plan.details
    assert plan.details.category == "x"


def ndjson(*lines: object) -> str:
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)


def test_each_line_of_ndjson_is_a_record_and_a_broken_one_costs_itself():
    content = ndjson(a_record(1), "", "{nope}", "[1]", "\x1e" + json.dumps(a_record(2)) + "\r", a_record(3))

    found = read(content, a_mapping("ndjson"))

    assert found.titles == ["Concert 1", "Concert 2", "Concert 3"]
    assert [rejection.line for rejection in found.rejections] == [3, 4]


def test_a_key_of_ndjson_is_taken_as_it_stands_and_a_jsonpath_begins_with_a_dollar():
    record = a_record(1) | {"start-date": "2026-07-01", "a.b": "dotted", "a": {"b": "nested"}}
    fields = {"starts": "start-date", "title": "a.b", "category": "$.a.b"}

    plan = read(ndjson(record), a_mapping("ndjson", fields)).plan

    assert plan.title == "dotted"
    assert plan.details
    assert plan.details.category == "nested"
