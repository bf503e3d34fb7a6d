"""Which format a document has, told by its first bytes alone, and what is said of those that cannot be mapped."""

import codecs
import csv
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.adapters.outbound.providers.plan_list.dialects import DIALECTS

DELIMITERS = (",", ";", "\t", "|")
HEAD = 64 * 1024
"""Bytes that are enough to tell."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_ROOT = re.compile(r"<([A-Za-z_][\w.-]*(?::[\w.-]+)?)[\s/>]")
_BEFORE_ROOT = re.compile(r"<\?.*?\?>|<!--.*?-->", re.DOTALL)
_HTML = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_JSON_LD = re.compile(r"""<script[^>]{0,200}application/ld\+json""", re.IGNORECASE)
_FOREIGN = (
    (b"PK\x03\x04", "a ZIP archive, or a spreadsheet (.xlsx, .ods): unpack it, or save the sheet as CSV"),
    (b"%PDF", "a PDF: ask the provider for data"),
    (b"PAR1", "Parquet: convert it to CSV or NDJSON"),
    (b"\x28\xb5\x2f\xfd", "a body packed by zstd: unpack it, or ask for gzip"),
    (b"BZh", "a body packed by bzip2: unpack it, or ask for gzip"),
    (b"\xfd7zXZ", "a body packed by xz: unpack it, or ask for gzip"),
    (b"SQLite format 3", "a SQLite database: export the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls): save the sheet as CSV"),
)


class Format(StrEnum):
    """What the kind `mapped` reads, by the names of its option `format`."""

    XML = "xml"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    ICALENDAR = "icalendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a document is."""

    format: Format | None
    """None when it is nothing that can be mapped; `said` then says what it is, and what can be done."""
    encoding: str
    """Python's name of it."""
    said: str
    """In words."""
    delimiter: str | None = None
    """Between two columns of CSV."""
    built_in: bool = False
    """Whether it is a feed of the kind `plan-list-xml`, which needs no mapping."""
    doctype: bool = False


def recognise(head: bytes, charset: str | None = None) -> Recognised:
    """Tell what begins with these bytes (HEAD of them, or all that there are); `charset` is what the server said."""
    if foreign := next((said for magic, said in _FOREIGN if head.startswith(magic)), None):
        return Recognised(format=None, encoding="", said=foreign)
    encoding = _encoding(head, charset)
    text = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n\x1e")
    if not text or "\0" in text[:1000]:
        said = "binary data of a format that is not known here" if text else "an empty document"
        return Recognised(format=None, encoding="" if text else encoding, said=said)
    if text.startswith("<"):
        return _markup(text, encoding)
    if text[:15].upper() == "BEGIN:VCALENDAR":
        return Recognised(format=Format.ICALENDAR, encoding=encoding, said="iCalendar (RFC 5545)")
    if text.startswith(("{", "[")):
        return _json(text, encoding)
    return _table(text, encoding, whole=len(head) < HEAD)


def _encoding(head: bytes, charset: str | None) -> str:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if named := _NAMED.match(head):
        charset = named[1].decode("ascii")
    names = [name for name in (charset, "utf-8") if name and _decodes(head, name)]
    return codecs.lookup(names[0]).name if names else "cp1252"


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except (UnicodeError, LookupError):
        return False
    return True


def _markup(text: str, encoding: str) -> Recognised:
    if _HTML.search(text[:2000]):
        data = (
            "; it has JSON-LD in it, which needs a kind of your own (doc/providers/own-kind.md)"
            if _JSON_LD.search(text)
            else ""
        )
        return Recognised(format=None, encoding=encoding, said=f"HTML, a page for people: no feed{data}")
    bare = _BEFORE_ROOT.sub("", text)
    root = _ROOT.search(bare)
    name = root[1] if root else "?"
    doctype = "<!doctype" in bare[: root.start() if root else 2000].lower()
    if name in DIALECTS and not doctype:
        said = f"XML in the dialect {name}, which the kind plan-list-xml reads without a mapping"
        return Recognised(format=Format.XML, encoding=encoding, said=said, built_in=True)
    return Recognised(format=Format.XML, encoding=encoding, said=f"XML with the root {name}", doctype=doctype)


def _json(text: str, encoding: str) -> Recognised:
    lines = [line for line in text.splitlines()[:3] if line.strip()]
    if len(lines) > 1 and all(_is_json(line) for line in lines[:2]):
        return Recognised(format=Format.NDJSON, encoding=encoding, said="NDJSON: an object a line")
    return Recognised(format=Format.JSON, encoding=encoding, said="JSON")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _table(text: str, encoding: str, *, whole: bool) -> Recognised:
    lines = text.splitlines()[:50]
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    scored = [(_columns(lines, delimiter), delimiter) for delimiter in DELIMITERS]
    columns, delimiter = max(scored, key=lambda one: one[0])
    if columns < 2:  # noqa: PLR2004 - a table has two columns at least
        said = "text that is no XML, JSON, NDJSON, CSV or iCalendar"
        return Recognised(format=None, encoding=encoding, said=said)
    name = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}[delimiter]
    said = f"CSV with {columns} columns, parted by {name}"
    return Recognised(format=Format.CSV, encoding=encoding, said=said, delimiter=delimiter)


def _columns(lines: Iterable[str], delimiter: str) -> int:
    """How many columns a table has; 0 when its rows do not agree with its head."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0
    if len(rows) < 2 or any(not cell.strip() for cell in rows[0][:-1]):  # noqa: PLR2004 - a head, and a row
        return 0
    agreeing = sum(len(row) == len(rows[0]) for row in rows)
    return len(rows[0]) if agreeing * 10 >= len(rows) * 8 else 0
