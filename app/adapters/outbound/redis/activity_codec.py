"""How activities are written in Redis: msgpack without field names, compressed where that pays.

A byte that names the form, then a list of appends: so those who append at the same time pack each for themselves, and a
mistake in one is nobody else's. An append is its columns (`ActivityColumns`); a column in which all are alike is that
one value. Entries of before, whose appends are lists of activities, are read too.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, cast

import msgspec
from isal import isal_zlib

from app.domain.activities import Activity
from app.domain.activity_columns import ID_SIZE, ActivityColumns

_ROWS, _PACKED_ROWS, _COLUMNS, _PACKED_COLUMNS = b"\x01", b"\x02", b"\x03", b"\x04"
# Below it compression saves next to nothing.
_COMPRESSED_FROM = 256
# Level 1 packs 100 activities in 25 us to less than half; level 0 halves the time for a fifth more room.
_COMPRESSION = 1

_Texts = list[str | None] | str | None
_Append = tuple[
    bytes,  # ids
    list[str] | str,  # types
    list[int] | int,  # occurred_at
    _Texts,  # sources
    _Texts,  # user ids
    list[Decimal | None] | Decimal | None,  # values
    _Texts,  # properties
    _Texts,  # anonymous ids
    _Texts,  # origins
]

_packer = msgspec.msgpack.Encoder(uuid_format="bytes")  # decimals as text
_read_rows = msgspec.msgpack.Decoder(list[list[Activity]]).decode
_read_columns = msgspec.msgpack.Decoder(list[_Append]).decode

# isal's own types do not say that its error is an exception.
_MISTAKES: tuple[type[Exception], ...] = (
    cast("type[Exception]", isal_zlib.error),
    msgspec.MsgspecError,
    ValueError,
)


class UnreadableError(Exception):
    """What stands in Redis is nothing that we wrote; the message says why."""


def pack(activities: Sequence[Activity]) -> bytes:
    """Write the activities of one append, to be put into an entry by `pack_entry`."""
    given = ActivityColumns.of(activities)
    columns = (
        given.types,
        given.occurred_at,
        given.sources,
        given.user_ids,
        given.values,
        given.properties,
        given.anonymous_ids,
        given.origins,
    )
    if len(given) == 1:
        return _packer.encode((given.ids, *[column[0] for column in columns]))
    return _packer.encode((given.ids, *map(_shortened, columns)))


def pack_entry(appends: Sequence[bytes]) -> bytes:
    """Write an entry: what `pack` made of one or more appends, in order."""
    packed = _packer.encode([msgspec.Raw(append) for append in appends])
    if len(packed) < _COMPRESSED_FROM:
        return _COLUMNS + packed
    return _PACKED_COLUMNS + isal_zlib.compress(packed, _COMPRESSION)


def unpack_entry(entry: bytes) -> ActivityColumns:
    """Read what `pack_entry` wrote.

    Raises:
        UnreadableError: it did not write this.
    """
    form, packed = entry[:1], entry[1:]
    try:
        if form in (_PACKED_ROWS, _PACKED_COLUMNS):
            packed = isal_zlib.decompress(packed)
        if form in (_COLUMNS, _PACKED_COLUMNS):
            return ActivityColumns.joined([_columns(*append) for append in _read_columns(packed)])
        if form in (_ROWS, _PACKED_ROWS):
            return ActivityColumns.of(list(chain.from_iterable(_read_rows(packed))))
    except _MISTAKES as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from error
    raise UnreadableError(f"it begins with {form!r}, which names no form")


def _shortened(column: Sequence[Any]) -> Any:
    """Write a value once if all are alike: no value is a list."""
    return column[0] if column and column.count(column[0]) == len(column) else column


def _columns(ids: bytes, *columns: Any) -> ActivityColumns:
    number, rest = divmod(len(ids), ID_SIZE)
    found = [column if type(column) is list else [column] * number for column in columns]
    if rest or any(len(column) != number for column in found):
        raise ValueError("its columns are not of one length")
    return ActivityColumns(ids, *found)
