"""One JSON object, read so that it means what was sent: strict where JSON parsers differ, digits kept.

A fast parser reads it; only what looks doubtful is looked at closely by a slow one that knows the place of each flaw.
"""

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from math import isinf
from typing import Any

import msgspec

from app.adapters.inbound.reading.refusals import (
    LONGEST_QUOTE,
    NotJsonError,
    Problem,
    RefusedRecordError,
    pointer_to,
    shown,
)
from app.domain.activities import LARGEST_ACTIVITY

DEEPEST = 32
"""Objects and arrays inside each other, the record itself included."""
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
LONG_INTEGER = b"0" * 19
"""Is in what `ONLY_DIGITS` makes of a text that has an integer beyond 64 bits, or nearly so."""
ONLY_DIGITS = bytes(ord("0") if chr(code).isdecimal() else ord(" ") for code in range(128)) + b" " * 128
LONE_SURROGATE = re.compile("[\ud800-\udfff]").search


def exact(text: str) -> Decimal:
    """Keep the digits of a number.

    Raises:
        ValueError: no double is as large as it, or no decimal as small.
    """
    if isinf(float(text)):
        raise ValueError(f"{text} is too large")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text} has too many digits in its exponent") from None


_decode = msgspec.json.Decoder(float_hook=exact).decode
_decode_object = msgspec.json.Decoder(dict[str, Any], float_hook=exact).decode
_decode_array = msgspec.json.Decoder(list[dict[str, Any]], float_hook=exact).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def parse_record(sent: bytes, most: int = LARGEST_ACTIVITY) -> dict[str, Any]:
    """Read one object of at most so many bytes; numbers that are no integers become Decimals.

    Raises:
        RefusedRecordError: it is JSON of a kind that is not taken.
        NotJsonError: it is no JSON.
    """
    if len(sent) > most:
        message = f"expected an activity of at most {most:,} bytes, found {len(sent):,}"
        raise RefusedRecordError(Problem("too_large", message))
    try:
        record = _decode(sent)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _explained(sent, error) from None
    if type(record) is not dict:
        raise RefusedRecordError(Problem("not_an_object", f"expected an object, found {shown(record)}"))
    if _is_doubtful(sent, record):
        _look_closely(sent)
    return record


def parse_value(sent: bytes) -> Any:
    """Read any value, as `parse_record` reads that of a field.

    Raises:
        RefusedRecordError, NotJsonError: as `parse_record`.
    """
    record = parse_record(b'{"data":%b}' % sent)
    if len(record) > 1:
        raise NotJsonError("not JSON: it goes on after its end")
    return record["data"]


def parse_plain_records(sent: bytes) -> list[dict[str, Any]] | None:
    """Read an array of objects in one go, as `parse_record` reads each; None when any of it takes a closer look."""
    if len(sent) > LARGEST_ACTIVITY or _has_long_integer(sent):
        return None
    try:
        records = _decode_array(sent)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if _are_doubtful(sent, records, sent.count(b"{") + sent.count(b"[") - 1) else records


def parse_plain_lines(sent: bytes, lines: list[bytes]) -> list[dict[str, Any]] | None:
    """Read the lines of a body, an object each, as `parse_record` does; None when any takes a closer look."""
    if len(sent) > LARGEST_ACTIVITY or _has_long_integer(sent):
        return None
    try:
        records = [_decode_object(line) for line in lines]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if _are_doubtful(sent, records, sent.count(b"{") + sent.count(b"[")) else records


def _are_doubtful(sent: bytes, records: list[dict[str, Any]], opened: int) -> bool:
    """Tell whether a closer look is due, of records in which so many objects and arrays are opened."""
    opened -= len(records)
    is_plain = not opened or opened <= sum([_has_object(one) for one in records]) or not any(map(_is_nested, records))
    if not is_plain and _is_deeper(records, DEEPEST):
        return True
    return not _has_all_colons(sent, records)


def is_read_as_sent(sent: bytes, read: Sequence[Any], objects: Iterable[Any]) -> bool:
    """Tell whether a list of records means what was sent, as `parse_record` checks it of each.

    `objects` are the members of records in which there may be more objects and arrays: there are none in the others.
    """
    if _has_long_integer(sent):
        return False
    boxes = [box for box in objects if type(box) is dict]
    opened = sent.count(b"{") + sent.count(b"[") - 1 - len(read)
    if opened > len(boxes) and _is_deeper(boxes, DEEPEST - 1):
        return False
    return _has_all_colons(sent, read)


def _is_doubtful(sent: bytes, record: dict[str, Any]) -> bool:
    """Tell whether a closer look is due. A key that came twice leaves a colon less in what was read."""
    if _has_long_integer(sent) or (sent.count(b"{") + sent.count(b"[") > DEEPEST and _is_deeper([record], DEEPEST)):
        return True
    return not _has_all_colons(sent, record)


def _has_all_colons(sent: bytes, read: Any) -> bool:
    r"""Tell whether no key was lost; not for certain when a colon may be written as \u003a."""
    return b"\\u003" not in sent and sent.count(b":") == _encode(read).count(b":")


def _has_long_integer(sent: bytes) -> bool:
    return LONG_INTEGER in sent.translate(ONLY_DIGITS)


def _has_object(record: dict[str, Any]) -> bool:
    """Tell whether there is an object where one is expected."""
    return type(record.get("properties")) is dict or type(record.get("data")) is dict


def _is_nested(record: dict[str, Any]) -> bool:
    """Tell whether there is more in a record than plain values, and objects of plain values."""
    for value in record.values():
        if type(value) is list:
            return True
        if type(value) is dict:
            for inner in value.values():
                if type(inner) is dict or type(inner) is list:
                    return True
    return False


def _is_deeper(records: list[dict[str, Any]], levels: int) -> bool:
    inside: list[Any] = records
    for _ in range(levels):
        members = (box.values() if type(box) is dict else box for box in inside)
        inside = [member for box in members for member in box if type(member) is dict or type(member) is list]
        if not inside:
            return False
    return True


def _explained(sent: bytes, error: Exception) -> Exception:
    """Say what is wrong with what the fast parser does not read."""
    try:
        _look_closely(sent)
    except (RefusedRecordError, NotJsonError) as explained:
        return explained
    return NotJsonError(f"not JSON: {error}")


def _look_closely(sent: bytes) -> None:
    try:
        tree = _loads(sent.decode(), parse_int=_integer if _has_long_integer(sent) else int)
    except UnicodeDecodeError as error:
        message = f"expected UTF-8, found {sent[error.start : error.start + 1]!r} at byte {error.start}"
        raise RefusedRecordError(Problem("invalid_utf8", message)) from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON: {error.msg} at byte {len(error.doc[: error.pos].encode())}") from None
    except RecursionError:
        raise RefusedRecordError(_too_deep(())) from None
    problem = _flaw_of(tree, ())
    if problem:
        raise RefusedRecordError(problem)


class _Object(list[tuple[str, Any]]):
    """Every pair of an object, also those with equal keys."""


class _Constant(str):
    """NaN or an infinity: no JSON, but what some libraries write."""

    __slots__ = ()


class _HugeNumber(str):
    """A number beyond what receivers can hold."""

    __slots__ = ()


def _integer(text: str) -> int | _HugeNumber:
    if len(text) > len(str(SMALLEST_INTEGER)):
        return _HugeNumber(text)
    return number if SMALLEST_INTEGER <= (number := int(text)) <= LARGEST_INTEGER else _HugeNumber(text)


def _fraction(text: str) -> Decimal | _HugeNumber:
    try:
        return exact(text)
    except ValueError:
        return _HugeNumber(text)


_loads = partial(json.loads, object_pairs_hook=_Object, parse_float=_fraction, parse_constant=_Constant)


def _flaw_of(value: Any, path: tuple[str | int, ...]) -> Problem | None:
    """Find the first thing that is wrong at `path` or below it."""
    if isinstance(value, str):
        return _flaw_of_text(value, path)
    if not isinstance(value, list):
        return None
    if len(path) >= DEEPEST:
        return _too_deep(path)
    flaw = _flaw_of_keys(value, path) if isinstance(value, _Object) else None
    for key, member in value if isinstance(value, _Object) else enumerate(value):
        if flaw:
            break
        if isinstance(member, str | list):
            flaw = _flaw_of(member, (*path, key))
    return flaw


def _flaw_of_keys(pairs: _Object, path: tuple[str | int, ...]) -> Problem | None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            return Problem(
                "duplicate_key", f"the key {shown(key)} stands twice in one object", pointer_to([*path, key])
            )
        if LONE_SURROGATE(key):
            return _flaw_of_text(key, path)
        seen.add(key)
    return None


def _flaw_of_text(text: str, path: tuple[str | int, ...]) -> Problem | None:
    if isinstance(text, _Constant):
        return Problem("not_finite", f"expected a finite number, found {text}", pointer_to(path))
    if isinstance(text, _HugeNumber):
        found = text if len(text) <= LONGEST_QUOTE else f"one of {len(text)} characters"
        message = f"expected a number that fits 64 bits or a double, found {found}"
        return Problem("huge_number", message, pointer_to(path))
    if LONE_SURROGATE(text):
        return Problem("lone_surrogate", "half of a surrogate pair (\\ud800 to \\udfff) is no text", pointer_to(path))
    return None


def _too_deep(path: tuple[str | int, ...]) -> Problem:
    return Problem("too_deep", f"nested more than {DEEPEST} deep", pointer_to(path))
