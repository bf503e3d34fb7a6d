"""The rows of an NDJSON file: one JSON object a line."""

from collections.abc import Iterator

from app.adapters.inbound.activity_files.lines import TOO_LONG, Lines, Row, is_cut, shown, undecodable


def ndjson_rows(lines: Lines) -> Iterator[Row]:
    """Hand out the rows in order; empty lines are no rows."""
    number = 0
    while line := lines.read():
        number += 1
        if is_cut(line):
            yield Row(number, shown(line), [], TOO_LONG)
        elif line.strip():
            yield Row(number, shown(line), [], undecodable(line))
