"""Text from outside as it may be shown: a terminal would obey control characters, and turn text around at others.

Feeds, files, clients and other servers choose it. The one place that says which characters steer, for commands and for
the log; what they look like is Python's own way to write them, as in `repr`.
"""

import re

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_FORMATS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
"""Directions of text (UAX 9), ends of lines and paragraphs, and a mark that is not seen."""

_HALVES = r"\ud800-\udfff"
"""Of characters beyond U+FFFF: alone they cannot be written as UTF-8."""


def _any_of(*codes: int) -> re.Pattern[str]:
    return re.compile("[" + "".join(rf"\u{code:04x}" for code in codes) + _HALVES + "]")


_find = _any_of(*_CONTROLS, *_FORMATS)
_find_in_json = _any_of(*range(0x7F, 0xA0), *_FORMATS)


def visible(text: str) -> str:
    """Give text back in one line that steers no terminal; ends of lines and tabs are shown as escapes as well."""
    return _find.sub(_escape, text)


def visible_json(document: str) -> str:
    """Escape the same in a JSON document, as JSON does; what lies below U+0020 it has escaped, or put there, itself."""
    return _find_in_json.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - what two digits can say
