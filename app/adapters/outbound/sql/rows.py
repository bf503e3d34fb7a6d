"""Domain objects as rows, where fields and columns have the same names.

Instants are whole microseconds since 1970, UTC; members of an Enum their values.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from sqlalchemy import Row

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Write an aware instant, exactly."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_of(written: int) -> datetime:
    """Read what `microseconds` wrote."""
    return _EPOCH + written * _MICROSECOND


def columns_of(item: Any, *left_out: str) -> dict[str, Any]:
    """Write all fields of a dataclass but those that are left out."""
    return {field.name: _written(getattr(item, field.name)) for field in fields(item) if field.name not in left_out}


def read_as(kind: Callable[..., T], row: Row[*tuple[Any, ...]], prefix: str = "", **given: Any) -> T:
    """Make a dataclass of a row whose columns are called as its fields, with `prefix`; `given` are in no column."""
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    read = {name: (reader, found[prefix + name]) for name, reader in _readers(kind).items() if name not in given}
    return kind(**{name: None if value is None else reader(value) for name, (reader, value) in read.items()}, **given)


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return microseconds(value)
    return value.value if isinstance(value, Enum) else value


@cache
def _readers(kind: Any) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


def _reader(hint: Any) -> Callable[[Any], Any]:
    type_ = (get_args(hint) or (hint,))[0]
    if type_ is datetime:
        return instant_of
    return type_ if isinstance(type_, type) and issubclass(type_, Enum) else lambda value: value
