"""What lists tell of a plan beyond a search, packed: a plan of which nothing of it is said costs a reference."""

from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import msgspec

from app.domain.plans import Place, PlanDetails, PlanStatus, SearchablePlan

_PlaceFields = tuple[str | None, str | None, str | None, float | None, float | None]


class Tags(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """What lists are filtered by; the first fields of what is packed."""

    provider: str
    timezone: str | None
    status: PlanStatus = PlanStatus.SCHEDULED
    category: str | None = None


class _Packed(Tags, array_like=True, gc=False, frozen=True):
    place: _PlaceFields | None = None
    url: str | None = None
    image: str | None = None
    currency: str | None = None


class Unpacked(NamedTuple):
    """What was packed."""

    provider: str
    timezone: str | None
    details: PlanDetails | None


PLAIN = 0x92
"""The first byte of what has two fields (msgpack): of plans without details, which share it."""

_encode = msgspec.msgpack.Encoder().encode
NOTHING = _encode(("", None))
"""Of a plan of which not even a provider is said."""
_decode = msgspec.msgpack.Decoder(_Packed).decode
read_tags = msgspec.msgpack.Decoder(Tags).decode
"""Read only what lists are filtered by."""
_of_place = attrgetter("name", "city", "country", "latitude", "longitude")


def pack_details(plan: SearchablePlan) -> bytes:
    """Pack what is told of a plan; of plans without details the bytes are one object for each provider and zone."""
    told = plan.details
    if told is None:
        return _plain(plan.provider, plan.timezone)
    place = told.place and _of_place(told.place)
    head = (plan.provider, plan.timezone, told.status, told.category)
    return _encode((*head, place, told.url, told.image, told.currency))


def unpack_details(packed: bytes) -> Unpacked:
    """Read what `pack_details` made."""
    found = _decode(packed)
    if packed[0] == PLAIN:
        return Unpacked(found.provider, found.timezone, None)
    place = None
    if found.place is not None:
        name, city, country, latitude, longitude = found.place
        place = Place(name=name, city=city, country=country, latitude=latitude, longitude=longitude)
    return Unpacked(
        found.provider,
        found.timezone,
        PlanDetails(
            status=found.status,
            place=place,
            url=found.url,
            image=found.image,
            category=found.category,
            currency=found.currency,
        ),
    )


def compacted(packed: bytes) -> bytes:
    """Copy what is a plan's own, so that it lies beside its neighbours; what is shared stays what it is."""
    return packed if packed[0] == PLAIN else bytes(bytearray(packed))


@lru_cache(maxsize=100_000)  # providers times their zones; beyond, a plan has bytes of its own
def _plain(provider: str, timezone: str | None) -> bytes:
    return _encode((provider, timezone))
