"""The line that an element begins in."""

from lxml.etree import _Element

_LINES = 65_535


def line_of(element: _Element) -> int:
    """Find it.

    libxml2 keeps 16 bits for it; from 65,535 on it gives the line in which the next text ends, which is the white space
    after the tag. Without any, all later elements seem to stand in line 65,535.
    """
    line: int | None = getattr(element, "sourceline")  # noqa: B009 - the stubs have it as an ellipsis
    if line is None or line <= _LINES:
        return line or 0
    after = element.tail if element.text is None else element.text
    return line - (after or "").count("\n")
