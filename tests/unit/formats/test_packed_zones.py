"""Zones that are kept packed are like a tuple of zones, to whoever looks."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.formats.packed_zones import PackedZones, packed, price_range
from app.adapters.formats.stored_plan import pack_plan, unpack_plan
from app.adapters.outbound.providers.contract import a_plan
from app.adapters.outbound.providers.reading.digests import plan_digest
from app.domain.plans import Plan, PriceRange, Zone

ZONES = (
    Zone("186", 0, Decimal("5.00"), "Ñ", numbered=True),
    Zone("186", 2, Decimal("75.00"), "", numbered=False),
    Zone("7", 4, Decimal("100.00"), "A", numbered=True),
)
JSON = '[["186",0,"5.00","Ñ",true],["186",2,"75.00","",false],["7",4,"100.00","A",true]]'


def zones() -> Any:
    return PackedZones(JSON, len(ZONES), PriceRange(Decimal("75.00"), Decimal("100.00")))


def plan(of: object) -> Plan:
    return a_plan("1", zones=of)


def test_they_are_like_the_tuple():
    assert zones() == ZONES
    assert ZONES == zones()  # noqa: SIM300 - both ways
    assert zones() == zones()
    assert zones() != ZONES[:2]
    assert (len(zones()), list(zones()), zones()[1], zones()[1:]) == (3, [*ZONES], ZONES[1], ZONES[1:])
    assert (hash(zones()), repr(zones())) == (hash(ZONES), repr(ZONES))


def test_a_plan_with_them_is_stored_as_with_the_tuple():
    assert unpack_plan(pack_plan(plan(zones()))) == plan(ZONES) == plan(zones())
    assert pack_plan(plan(zones())) == pack_plan(plan(ZONES))


def test_a_digest_of_the_texts_is_that_of_the_zones():
    said = [(zone.zone_id, zone.capacity, str(zone.price), zone.name, zone.numbered) for zone in ZONES]

    assert plan_digest(plan(zones()), said) == plan_digest(plan(ZONES))


def test_digests_are_what_they_always_were():
    """Were they others, every plan of every installation would seem changed."""
    assert plan_digest(plan(ZONES)).hex() == "ee6a1903a4a28f444c6e10a03c9acbed"


def test_a_plan_tells_their_price_range():
    assert plan(zones()).prices == plan(ZONES).prices == PriceRange(Decimal("75.00"), Decimal("100.00"))


prices = st.decimals(0, 10**12 - 1, places=2, allow_nan=False)


@given(st.lists(st.tuples(prices, st.integers(0, 2)), min_size=1))
def test_the_range_is_that_of_the_prices_of_what_is_left(said: list[tuple[Decimal, int]]):
    texts = [f"{price:.2f}" for price, _ in said]
    zones = tuple(
        Zone("1", left, Decimal(text), "", numbered=True) for (_, left), text in zip(said, texts, strict=True)
    )

    found = price_range(texts, list(map(float, texts)), [left for _, left in said])

    assert found == replace(plan(()), zones=zones).prices


def test_anything_else_is_no_part_of_a_plan():
    with pytest.raises(NotImplementedError, match="found a set"):
        packed(cast("Any", set()))
