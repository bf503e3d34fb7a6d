"""The value of a field in a record: its sources in turn, each with what it does to what it finds."""

from collections.abc import Callable
from typing import TypeVar

from app.adapters.outbound.providers.mapped.mapping import ANYTHING, Condition, Field, Source
from app.adapters.outbound.providers.mapped.moments import Moment
from app.adapters.outbound.providers.mapped.paths import Record, Value
from app.adapters.outbound.providers.reading.values import UnusableError
from app.domain.feeds import RejectionReason

T = TypeVar("T")

_MAX_EXACT = 2**53


def read(field: Field, record: Record, interpret: Callable[[Source, str | Moment], T]) -> T | None:
    """Give the first value that can be used; None when the record says nothing.

    Raises:
        UnusableError: no source can use what it says; the message is of the first one that found something.
    """
    first: UnusableError | None = None
    for source in field.sources:
        try:
            found = said(source, record, field)
            if found is not None:
                return interpret(source, found)
        except UnusableError as error:
            first = first or error
    if first:
        raise first
    return None


def said(source: Source, record: Record, field: Field) -> str | Moment | None:
    """Give what a source finds, as text, trimmed, translated, or its default; None for nothing.

    Raises:
        UnusableError: it finds an object or a list.
    """
    found = source.value if not source.paths else _found(source, record, field)
    return found if isinstance(found, Moment) else adapted(source, found)


def adapted(source: Source, text: str | None) -> str | None:
    """Trim a text, translate it, and put the default in its place when nothing is left."""
    if text is not None and source.trim:
        text = text.strip()
    text = text or None
    if text is not None and source.translate is not None:
        text = source.translate.get(text, source.translate.get(ANYTHING, text)) or None
    return source.default if text is None else text


def _found(source: Source, record: Record, field: Field) -> str | Moment | None:
    node = record.node
    if source.of_document:
        node = record.document() if record.document else None
    values = [plain(path.first(node), field) for path in source.paths]
    if len(values) == 1:
        return values[0]
    return " ".join(text.strip() for text in values if isinstance(text, str) and text.strip())


def plain(found: Value, field: Field) -> str | Moment | None:
    """Give what a path found as text.

    Raises:
        UnusableError: it is an object or a list.
    """
    if found is None or isinstance(found, str | Moment):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found)
    if isinstance(found, float):
        return str(int(found)) if found.is_integer() and abs(found) < _MAX_EXACT else repr(found)
    kind = "an object" if isinstance(found, dict) else "a list"
    raise UnusableError(RejectionReason.INVALID_VALUE, f"{field.shown} is {kind}, expected a single value")


def holds(condition: Condition, record: Record) -> bool:
    """Tell whether a record says what it must; one that says nothing has none of the values."""
    try:
        found = read(condition.field, record, lambda _, text: text)
    except UnusableError:
        found = None
    return (found in condition.among) is not condition.negated
