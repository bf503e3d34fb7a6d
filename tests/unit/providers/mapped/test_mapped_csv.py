"""CSV through a mapping."""

from typing import Any

import pytest

from app.application.ports.providers import FeedRefusedError
from tests.support.mapped_feeds import Read, a_mapping, read

HEADER = "base_id,item_id,title,starts,note\n"
COLUMNS = ["base_id", "item_id", "title", "starts", "note"]


def read_rows(*rows: str, header: str = HEADER, **options: Any) -> Read:
    return read(header + "".join(f"{row}\n" for row in rows), a_mapping("csv", **options))


def test_a_row_is_a_record_by_the_names_of_the_header():
    found = read_rows('b,1,"Concert, the first",2026-07-01 20:00,')

    assert found.plan.title == "Concert, the first"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header(delimiter: str):
    header, row = HEADER.replace(",", delimiter), "b,1,Concert,2026-07-01,".replace(",", delimiter)

    assert read_rows(row, header=header).titles == ["Concert"]


def test_the_delimiter_and_the_quote_may_be_said():
    options = {"delimiter": ":", "quote": "'"}
    header = HEADER.replace(",", ":")

    assert read_rows("b:1:'a:b':2026-07-01:", header=header, **options).titles == ["a:b"]
    assert read_rows('b,1,5" nails,2026-07-01,', quote="").titles == ['5" nails']


def test_a_document_without_a_header_gets_its_names_from_the_mapping():
    assert read_rows("b,1,Concert,2026-07-01,", header="", columns=COLUMNS).titles == ["Concert"]


def test_a_cell_may_have_several_lines_and_quotes():
    found = read_rows('b,1,"Concert ""one""\nand two",2026-07-01,', "b,2,Other,x,")

    assert found.titles == ['Concert "one"\nand two']
    assert [rejection.line for rejection in found.rejections] == [4]


@pytest.mark.parametrize(
    "broken",
    [
        "b,2,Concert",
        "b,2,Concert,2026-07-01,,x",
        'b,2,"Concert,2026-07-01,',
        'b,2,"Con"cert,2026-07-01,',
        'b,2,"Concert,2026-07-01,"',
    ],
)
def test_a_broken_row_costs_that_row(broken: str):
    found = read_rows("b,1,First,2026-07-01,", broken, "b,3,Third,2026-07-01,", "b,4,Fourth,2026-07-01,")

    assert found.failure is None
    assert found.titles == ["First", "Third", "Fourth"]
    [rejection] = found.rejections
    assert (rejection.line, rejection.source) == (3, broken)


def test_a_row_in_another_encoding_costs_that_row():
    content = (HEADER + "b,1,First,2026-07-01,\nb,2,@,2026-07-01,\nb,3,Third,2026-07-01,\n").encode()

    assert read(content.replace(b"@", b"\xf1"), a_mapping("csv")).titles == ["First", "Third"]


def test_blank_rows_and_empty_cells_beyond_the_header_count_for_nothing():
    found = read_rows("", "b,1,First,2026-07-01,,,", "   ", "b,2,Second,2026-07-01,")

    assert found.titles == ["First", "Second"]
    assert found.rejections == []


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    content = "\ufeff" + HEADER.replace("\n", "\r\n") + "b,1,First,2026-07-01,\r\n"

    assert read(content, a_mapping("csv")).titles == ["First"]


@pytest.mark.parametrize("content", ["", "\n\n", "<html>", '{"a": 1}', "a,b,a\n1,2,3\n", 'a,"b\n1,2\n'])
def test_a_document_without_a_header_of_its_own_is_refused(content: str):
    assert isinstance(read(content, a_mapping("csv")).failure, FeedRefusedError)


def test_a_ticket_in_columns_of_its_row_is_a_zone():
    zones = {"each": "price", "fields": {"price": {"path": "price", "number": "1.234,56"}, "name": "seat"}}
    options = a_mapping("csv", {"zones": zones})
    header = "base_id;item_id;title;starts;price;seat\n"

    found = read(header + "b;1;First;2026-07-01;12,50;Floor\nb;2;Second;2026-07-01;;\n", options)

    assert [[(str(zone.price), zone.name) for zone in plan.zones] for plan in found.plans] == [[("12.50", "Floor")], []]
