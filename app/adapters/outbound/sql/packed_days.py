"""The days of a visitor or a person as the columns first_day, days and types: sets of bits, packed."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from app.domain.stats import Visits
from app.domain.user_days import UserDays

NO_DAY = UserDays(Visits(0, 0), ())
"""How somebody is written who did nothing yet."""
_FIRST = 4
"""Bytes of the number of a first day; behind it is a bit for each day, as in the column days."""
_decode = msgspec.msgpack.Decoder(dict[str, bytes]).decode
_encode = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=1_000)
def pack_days(days: UserDays) -> tuple[int, bytes, bytes]:
    """Write the columns."""
    types = {type_: _packed(visits) for type_, visits in days.by_type}
    return days.all.first, _bits(days.all), _encode(types)


def unpack_days(first: int, days: bytes, types: bytes | None) -> UserDays | None:
    """Read them; None: on no day."""
    if not days:
        return None
    return UserDays(Visits(first, int.from_bytes(days, "little")), tuple(unpack_types(types).items()))


def unpack_types(types: bytes | None) -> Mapping[str, Visits]:
    """Read the days with each type; an older version has kept none."""
    if types is None:
        return {}
    return {type_: _unpacked(packed) for type_, packed in _decode(types).items()}


@lru_cache(maxsize=16_384)  # most have few days with a type, and many have the same
def _packed(visits: Visits) -> bytes:
    return visits.first.to_bytes(_FIRST, "little", signed=True) + _bits(visits)


@lru_cache(maxsize=16_384)
def _unpacked(packed: bytes) -> Visits:
    first = int.from_bytes(packed[:_FIRST], "little", signed=True)
    return Visits(first, int.from_bytes(packed[_FIRST:], "little"))


def _bits(visits: Visits) -> bytes:
    return visits.days.to_bytes((visits.days.bit_length() + 7) // 8, "little")
