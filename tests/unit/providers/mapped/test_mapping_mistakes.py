"""What is wrong with a mapping is told at the start: each mistake in a line, all of them at once."""

from typing import Any

import pytest

from app.adapters.outbound.providers.mapped.compile_mapping import compile_mapping
from app.adapters.outbound.providers.mapped.mistakes import InvalidMappingError
from tests.support.mapped_feeds import a_mapping


def mistakes(options: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidMappingError) as caught:
        compile_mapping(options)
    return [str(mistake) for mistake in caught.value.mistakes]


def mistake(options: dict[str, Any]) -> str:
    [found] = mistakes(options)
    assert "\n" not in found
    return found


def test_all_mistakes_are_told_at_once():
    options = a_mapping("json", {"titel": "$.x", "starts": {"path": "$.a", "format": "%Q"}}, incremental="yes")

    assert len(mistakes(options)) == 3


def test_an_unknown_key_names_the_nearest_one():
    assert mistake(a_mapping("xml", recrods="//x")) == "options.recrods: no such key, did you mean 'records'?"
    assert "did you mean 'organizer_id'" in mistake(a_mapping("xml", {"organiser_id": "@x"}))
    assert "did you mean 'format'" in mistake(a_mapping("xml", {"starts": {"path": "@x", "fromat": "iso"}}))


def test_a_mistake_names_its_key_its_path_and_what_was_expected():
    found = mistake(a_mapping("json", {"title": "start-date"}))

    assert found.startswith("options.fields.title: 'start-date': expected a JSONPath (RFC 9535) that begins with $")
    assert "$['start-date']" in found


@pytest.mark.parametrize("path", ["$.start-date", "$.a in ['x']", "$[?match(@.a, 'x')]", "$[?search(@.a, 'x')]"])
def test_what_rfc_9535_has_not_is_refused(path: str):
    assert "RFC 9535" in mistake(a_mapping("json", {"title": path}))


@pytest.mark.parametrize("path", ["$..a..b", "$[?@.a == $.b]", "$[?@..a == 1]", "$[?@.a[*] == 1]"])
def test_a_jsonpath_that_may_take_long_is_refused(path: str):
    assert "expected" in mistake(a_mapping("json", {"title": path}))


@pytest.mark.parametrize(
    "path",
    [
        "following-sibling::x",
        "following::x",
        "../x[last()]",
        "../following-sibling::x",
        "//title",
        "..//title",
        "count(../x)",
        "preceding::x",
    ],
)
def test_a_path_that_would_need_what_comes_later_is_refused(path: str):
    assert "expected" in mistake(a_mapping("xml", {"title": path}))


@pytest.mark.parametrize("path", ["a//b//c", "a[b[c]]", "a[.//b]", "a[../b]", "a[b]" * 6, "id('x')", "$x", "a[", "x:y"])
def test_an_xpath_that_is_none_or_may_take_long_is_refused(path: str):
    assert "expected" in mistake(a_mapping("xml", {"title": path}))


@pytest.mark.parametrize("records", ["//a/b[c]", "//*", "a[1]", "//a//b", "", "//a[@b='c' or @d]", "///a", "//a/"])
def test_records_of_xml_are_a_path_of_names(records: str):
    assert "options.records" in mistake(a_mapping("xml", records=records))


@pytest.mark.parametrize("records", ["events", "$..events", "$.a[0]", "$[?@.a]"])
def test_records_of_json_are_a_path_of_names_and_all(records: str):
    assert "options.records" in mistake(a_mapping("json", records=records))


def test_csv_has_no_path_of_records_and_xml_no_delimiter():
    assert "expected none" in mistake(a_mapping("csv", records="//x"))
    assert "only with format csv" in mistake(a_mapping("xml", delimiter=";"))


def test_a_format_must_be_known():
    assert mistake({"format": "yaml"}) == "options.format: 'yaml': expected one of xml, json, ndjson, csv, icalendar"


def test_no_plan_is_without_a_title_a_start_and_an_id():
    found = mistakes({"format": "csv", "fields": {}})

    assert [line.split(":")[0] for line in found] == [
        "options.fields.title",
        "options.fields.starts",
        "options.fields.base_id",
    ]


def test_deleted_needs_an_item_id():
    options = a_mapping("json", {"item_id": None}, deleted={"path": "$.state", "equals": "deleted"})

    assert "fields.item_id" in mistake(options)


@pytest.mark.parametrize("form", ["dd.mm.yyyy", "%d.%m", "%H:%M %d", "%Y", "%d.%m.%Y %d", "%Z", "%c", "%"])
def test_a_format_of_times_is_a_whole_date_or_a_time_of_day(form: str):
    assert "expected" in mistake(a_mapping("csv", {"starts": {"path": "s", "format": form}}))


@pytest.mark.parametrize("pattern", ["1234,5", "x", "1,234,56", "12.34", 5])
def test_a_pattern_of_numbers_shows_how_they_are_written(pattern: object):
    assert "expected a number that shows" in mistake(a_mapping("csv", {"price": {"path": "p", "number": pattern}}))


def test_what_a_field_has_no_use_for_is_refused():
    assert "has no use for it" in mistake(a_mapping("csv", {"title": {"path": "t", "format": "iso"}}))
    assert "has no use for it" in mistake(a_mapping("csv", {"title": {"path": "t", "number": "1234"}}))
    assert "has no use for it" in mistake(a_mapping("csv", {"starts": {"path": "t", "exclusive": True}}))
    assert "expected a value, or of ends" in mistake(
        a_mapping("csv", {"starts": {"path": "t", "default": {"after": "2h"}}})
    )


@pytest.mark.parametrize(
    "said", [{}, {"path": "a", "value": "b"}, 5, [], {"join": []}, {"path": ""}, {"path": "x" * 501}, {"map": {}}]
)
def test_a_field_is_a_path_a_constant_or_a_list_of_paths(said: object):
    assert mistake(a_mapping("csv", {"title": said})).startswith("options.fields.title")


@pytest.mark.parametrize(
    "said", ["x", {}, {"each": "t"}, {"each": "t", "fields": {}}, {"each": "", "fields": {"price": "p"}}]
)
def test_zones_have_a_path_and_a_price(said: object):
    assert "options.fields.zones" in mistakes(a_mapping("csv", {"zones": said}))[0]


@pytest.mark.parametrize(
    "said",
    [
        "next",
        {},
        {"next": "$.n", "link": "next"},
        {"next": "n"},
        {"next": "$.n", "until": "full"},
        {"parameter": "page", "from": "x"},
        {"offset": "start"},
        {"link": 5},
        {"parameter": "page", "limit": 5},
        {"next": "$.n", "parameter": 5},
    ],
)
def test_pages_are_one_of_four_ways(said: object):
    assert "options.pages" in mistakes(a_mapping("json", pages=said))[0]


def test_a_format_without_a_document_around_its_records_has_no_path_to_the_next_page():
    assert "options.pages.next" in mistake(a_mapping("csv", pages={"next": "n"}))


@pytest.mark.parametrize(
    "said", ["x", {"path": "s"}, {"path": "s", "equals": "a", "in": ["b"]}, {"path": "s", "in": "a"}]
)
def test_a_condition_has_a_path_and_one_comparison(said: object):
    assert "options.where" in mistakes(a_mapping("csv", where=said))[0]


def test_other_options_are_checked():
    assert "options.namespaces" in mistake(a_mapping("xml", namespaces={"1": "urn:x"}))
    assert "options.delimiter" in mistake(a_mapping("csv", delimiter=";;"))
    assert "options.columns" in mistake(a_mapping("csv", columns=["a", "a"]))
    assert "options.encoding" in mistake(a_mapping("csv", encoding="klingon"))
    assert "options.fields.title.of" in mistake(a_mapping("json", {"title": {"path": "$.a", "of": "feed"}}))
    assert "which this format has not" in mistake(a_mapping("csv", {"title": {"path": "a", "of": "document"}}))


def test_a_mapping_without_an_item_id_has_a_warning():
    assert compile_mapping(a_mapping("csv")).warnings == ()
    [warning] = compile_mapping(a_mapping("csv", {"item_id": None})).warnings
    assert "item_id is not mapped" in warning


def test_only_an_end_may_be_told_by_its_length():
    assert "of ends also minutes and duration" in mistake(
        a_mapping("csv", {"starts": {"path": "t", "format": "minutes"}})
    )
    assert "expected one of path, join and value" in mistake(a_mapping("csv", {"sell_to": {"default": "2026-01-01"}}))
    assert "expected one of path, join and value" in mistake(a_mapping("csv", {"ends": {"default": "2026-01-01"}}))
