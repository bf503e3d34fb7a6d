"""What a record of a mapped feed says of a plan, and what of it costs how much."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.outbound.providers.mapped.zone_mapper import MAX_ZONES
from app.domain.feeds import RejectionReason
from app.domain.plans import Place, Plan, PlanKey, PlanStatus, SellMode, Zone
from tests.support.mapped_feeds import Read, a_mapping, read

NEEDED = {"base_id": "b", "item_id": "i", "title": "t", "starts": "2026-07-01T20:00"}
TICKETS: dict[str, Any] = {
    "each": "$.tickets[*]",
    "fields": {"zone_id": "$.id", "name": "$.name", "price": "$.cost", "capacity": {"path": "$.left", "default": 1}},
}


def read_one(fields: dict[str, Any] | None = None, options: dict[str, Any] | None = None, **said: Any) -> Read:
    document = json.dumps({"currency": "eur", "events": [NEEDED | said]})
    return read(document, a_mapping("json", fields, **(options or {})))


def a_plan(fields: dict[str, Any] | None = None, **said: Any) -> Plan:
    return read_one(fields, **said).plan


def test_a_plan_says_what_its_mapping_finds():
    fields = {
        "organizer_id": "$.organizer",
        "sell_mode": {"value": "offline"},
        "sold_out": "$.full",
        "price": {"path": "$.price", "number": "1.234,56"},
        "currency": {"value": "EUR"},
        "status": {"path": "$.state", "map": {"off": "cancelled", "*": "scheduled"}},
        "place": {
            "name": "$.venue.name",
            "city": "$.venue.city",
            "latitude": "$.venue.at[0]",
            "longitude": "$.venue.at[1]",
        },
        "url": "$.link",
        "image": "$.pictures[0].src",
        "category": "$.type",
    }

    plan = a_plan(
        fields,
        organizer=7,
        full=True,
        price="1.234,5",
        state="off",
        venue={"name": "Hall", "city": "Bilbao", "at": [43.26, -2.93]},
        link="https://x.example/1",
        pictures=[{"src": "http://x.example/1.png"}],
        type="jazz",
    )

    assert (plan.organizer_id, plan.sell_mode, plan.sold_out) == ("7", SellMode.OFFLINE, True)
    assert plan.price == Decimal("1234.50")
    assert plan.details
    assert plan.details.status is PlanStatus.CANCELLED
    assert plan.details.place == Place(name="Hall", city="Bilbao", latitude=43.26, longitude=-2.93)
    assert (plan.details.url, plan.details.image) == ("https://x.example/1", "http://x.example/1.png")
    assert (plan.details.category, plan.details.currency) == ("jazz", "EUR")


def test_a_plan_of_which_nothing_more_is_said_has_no_details():
    plan = a_plan()

    assert plan.details is None
    assert (plan.sell_mode, plan.price, plan.zones, plan.sold_out) == (SellMode.ONLINE, None, (), False)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("url", "javascript:alert(1)"),
        ("url", "//x.example"),
        ("url", "https://"),
        ("url", "https://x.example/a b"),
        ("image", "data:image/png;base64,xx"),
        ("image", "https://x.example/" + "x" * 2_000),
        ("currency", "EURO"),
        ("status", "maybe"),
        ("price", "free"),
        ("price", "-1"),
        ("sold_out", "perhaps"),
        ("organizer_id", "x" * 256),
        ("category", "x" * 1_001),
    ],
)
def test_a_wrong_value_of_what_the_answer_does_not_need_costs_that_value(name: str, wrong: str):
    found = read_one({name: "$.said"}, said=wrong)

    assert found.plans == [a_plan()]
    [rejection] = found.rejections
    assert rejection.part == name
    assert rejection.key == PlanKey("mapped", "b", "i")
    assert wrong[:20] in rejection.message or name == "organizer_id"


@pytest.mark.parametrize(("latitude", "longitude"), [("90.1", "0"), ("0", "-180.5"), ("north", "0"), ("1e3", "0")])
def test_a_coordinate_lies_on_the_earth(latitude: str, longitude: str):
    found = read_one(
        {"place": {"name": "$.venue", "latitude": "$.a", "longitude": "$.b"}}, venue="Hall", a=latitude, b=longitude
    )

    [rejection] = found.rejections
    assert (rejection.part or "").startswith("place.")
    assert found.plans[0].details
    assert found.plans[0].details.place
    assert found.plans[0].details.place.name == "Hall"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("title", ""),
        ("title", "  "),
        ("title", "x" * 1_001),
        ("item_id", None),
        ("base_id", "x" * 256),
        ("title", {"en": "x"}),
        ("title", ["x"]),
    ],
)
def test_a_wrong_value_of_what_the_answer_needs_costs_the_record(name: str, wrong: Any):
    found = read_one(**{name: wrong})

    assert found.plans == []
    [rejection] = found.rejections
    assert rejection.part is None
    assert rejection.source
    assert rejection.line == 1


def test_a_sell_mode_that_is_mapped_is_needed():
    assert read_one({"sell_mode": "$.mode"}, mode="pos").plans == []
    assert a_plan({"sell_mode": {"path": "$.mode", "default": "offline"}}).sell_mode is SellMode.OFFLINE


def test_a_value_is_trimmed_translated_and_has_a_default():
    title = {"title": {"path": "$.t", "trim": True, "map": {"x": "X", "none": None}, "default": "untitled"}}

    assert a_plan(title, t=" x ").title == "X"
    assert a_plan(title, t=" y ").title == "y"
    assert a_plan(title, t="none").title == "untitled"
    assert a_plan(title, t="  ").title == "untitled"
    assert a_plan(title).title == "untitled"


def test_numbers_and_truth_become_text():
    title = {"title": "$.t"}

    assert [a_plan(title, t=said).title for said in (5, 5.0, 5.25, True, 10**20)] == [
        "5",
        "5",
        "5.25",
        "true",
        str(10**20),
    ]


def test_a_constant_of_yaml_is_read_as_a_feed_would_say_it():
    assert a_plan({"sold_out": {"value": True}}).sold_out
    assert a_plan({"price": {"value": 5}}).price == Decimal("5.00")


def test_zones_say_what_the_mapping_finds():
    tickets = [{"id": 1, "name": "Floor", "cost": 20, "left": 5}, {"id": "2", "name": None, "cost": "12.5"}]

    assert a_plan({"zones": TICKETS}, tickets=tickets).zones == (
        Zone("1", 5, Decimal("20.00"), "Floor", numbered=False),
        Zone("2", 1, Decimal("12.50"), "", numbered=False),
    )


def test_zones_that_have_no_more_than_a_price_are_numbered_through():
    zones = {"each": "$.tickets[*]", "fields": {"price": "$.cost"}}

    assert a_plan({"zones": zones}, tickets=[{"cost": 1}, {"cost": 2}]).zones == (
        Zone("1", 1, Decimal("1.00"), "", numbered=False),
        Zone("2", 1, Decimal("2.00"), "", numbered=False),
    )


def test_a_faulty_zone_costs_that_zone():
    tickets = [{"id": 1, "cost": "x"}, {"id": 2, "cost": 5}, {"cost": 5}, {"id": 4, "left": 5}]

    found = read_one({"zones": TICKETS}, tickets=tickets)

    assert [zone.zone_id for zone in found.plans[0].zones] == ["2"]
    assert [part for part, _ in found.wrong] == ["zone 1: price", "zone number 3: zone_id", "zone 4: price"]


@pytest.mark.parametrize(("left", "expected"), [(1, 1), (1.0, 1), ("1", 1)])
def test_a_capacity_is_a_whole_number_however_it_is_written(left: object, expected: int):
    tickets = [{"id": 1, "cost": 5, "left": left}, {"id": 2, "cost": 5, "left": 2}]

    assert a_plan({"zones": TICKETS}, tickets=tickets).zones[0].capacity == expected


def test_a_yes_is_no_number_and_a_number_no_yes_even_where_they_are_equal():
    tickets = [{"id": 1, "cost": 5, "left": 1}, {"id": 2, "cost": 5, "left": True}, {"id": 3, "cost": 5, "left": 1.5}]

    found = read_one({"zones": TICKETS}, tickets=tickets)

    assert [part for part, _ in found.wrong] == ["zone 2: capacity", "zone 3: capacity"]


def test_more_zones_than_can_be_cost_the_zones():
    found = read_one({"zones": TICKETS}, tickets=[{"id": 1, "cost": 1}] * (MAX_ZONES + 1))

    assert found.plans[0].zones == ()
    assert [part for part, _ in found.wrong] == ["zones"]


def test_the_faults_of_one_record_are_told_up_to_a_bound():
    found = read_one({"zones": TICKETS}, tickets=[{"id": 1}] * 200)

    assert len(found.rejections) == 101
    assert "100 more parts" in found.rejections[-1].message


def test_a_price_counts_only_without_zones():
    fields = {"zones": TICKETS, "price": "$.price"}

    assert a_plan(fields, tickets=[], price=9).price == Decimal("9.00")
    assert a_plan(fields, tickets=[{"id": 1, "cost": 5}], price=9).price is None


def test_zones_may_be_a_list_or_a_single_one():
    zones = {"each": ["$.offers[*]", "$.offers"], "fields": {"price": "$.price"}}

    assert len(a_plan({"zones": zones}, offers={"price": 5}).zones) == 1
    assert len(a_plan({"zones": zones}, offers=[{"price": 5}, {"price": 6}]).zones) == 2
    assert a_plan({"zones": zones}).zones == ()


def test_zones_may_be_found_in_several_ways():
    zones = [
        {"each": f"$.ranges[?@.{name}]", "fields": {"zone_id": {"value": name}, "price": f"$.{name}"}}
        for name in ("low", "high")
    ]

    plan = a_plan({"zones": zones}, ranges=[{"low": 5, "high": 9}, {"low": 6}])

    assert [(zone.zone_id, str(zone.price)) for zone in plan.zones] == [
        ("low", "5.00"),
        ("low", "6.00"),
        ("high", "9.00"),
    ]


def test_other_records_are_passed_over_and_counted():
    rows: list[dict[str, Any]] = [
        {**NEEDED, "item_id": str(n), "state": state} for n, state in enumerate(["draft", "live", None, "old"])
    ]
    content = json.dumps({"events": rows})

    def kept(where: object) -> list[str]:
        found = read(content, a_mapping("json", where=where))
        assert found.passed_over == 4 - len(found.plans)
        return [plan.key.item_id for plan in found.plans]

    assert kept({"path": "$.state", "not": "draft"}) == ["1", "2", "3"]
    assert kept({"path": "$.state", "not": ["draft", "old"]}) == ["1", "2"]
    assert kept({"path": "$.state", "equals": "live"}) == ["1"]
    assert kept({"path": "$.state", "in": ["live", "old"]}) == ["1", "3"]
    assert kept([{"path": "$.state", "not": "draft"}, {"path": "$.item_id", "equals": 3}]) == ["3"]


def test_a_tombstone_names_its_plan_and_needs_no_more_than_ids():
    options = {"deleted": {"path": "$.state", "equals": "deleted"}}

    gone, unnamed = (
        read_one(None, options, state="deleted", title=None, starts=None),
        read_one(None, options, state="deleted", item_id=None),
    )

    assert gone.tombstones == [PlanKey("mapped", "b", "i")]
    assert unnamed.tombstones == []
    assert len(unnamed.rejections) == 1


def test_without_a_base_id_each_item_is_its_own():
    assert a_plan({"base_id": None}).key == PlanKey("mapped", "i", "i")


def test_an_item_without_an_id_is_told_by_its_start_and_title():
    def key(**said: str) -> PlanKey:
        return a_plan({"item_id": None}, **said).key

    assert key().base_id == "b"
    assert key() == key(price="5")
    assert len({key(), key(title="u"), key(starts="2026-07-02T20:00"), key(base_id="c")}) == 4


def test_an_instant_is_the_same_item_in_whatever_zone_it_is_told():
    options = a_mapping("json", {"item_id": None})
    content = json.dumps({"events": [NEEDED | {"starts": "2026-07-01T18:00:00Z"}]})

    first, second = (read(content, options, timezone=zone).plan for zone in ("Europe/Madrid", "Europe/Helsinki"))

    assert first.key == second.key
    assert first.starts != second.starts


def test_a_field_that_no_record_had_is_named():
    found = read_one({"url": "$.lnik", "category": {"value": "x"}}, link="https://x.example")

    assert found.ignored == {"url ($.lnik): found in no record": 1}


def test_the_same_record_again_counts_once_and_another_one_of_its_ids_is_told():
    rows = [NEEDED, NEEDED, NEEDED | {"title": "u"}]

    found = read(json.dumps({"events": rows}), a_mapping("json"))

    assert found.titles == ["t"]
    [rejection] = found.rejections
    assert rejection.reason is RejectionReason.DUPLICATE


def test_of_an_incremental_feed_every_state_is_told_in_order():
    rows = [NEEDED, NEEDED | {"title": "u"}, NEEDED]

    assert read(json.dumps({"events": rows}), a_mapping("json", incremental=True)).titles == ["t", "u", "t"]


@pytest.mark.parametrize(
    ("pattern", "said", "expected"),
    [
        ("1.234,56", "1.234,5", "1234.50"),
        ("1.234,56", "12,50", "12.50"),
        ("1.234,56", "1234", "1234.00"),
        ("1,234.56", "1,234,567.89", "1234567.89"),
        ("1 234,56", "1\N{NO-BREAK SPACE}234,56", "1234.56"),
        ("1234,56", "7,5", "7.50"),
        ("1'234.56", "1'234", "1234.00"),
        ("1.234,56 €", "12,50 €", "12.50"),
        ("1.234,56 €", "12,50", "12.50"),
        ("EUR 1,234.56", "EUR 5.00", "5.00"),
        ("1.234", "1.234", "1234.00"),
        ("cents", "2550", "25.50"),
        ("cents", "7", "0.07"),
        ("cents", "0", "0.00"),
    ],
)
def test_numbers_are_read_as_the_pattern_writes_them(pattern: str, said: str, expected: str):
    assert a_plan({"price": {"path": "$.p", "number": pattern}}, p=said).price == Decimal(expected)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("1.234,56", "1,234.56"), ("1.234,56", "12.34"), ("1234,56", "1.5"), ("1.234", "1,5"), ("1.234,56 €", "5 $")],
)
def test_a_number_that_is_written_otherwise_is_not_guessed(pattern: str, said: str):
    [rejection] = read_one({"price": {"path": "$.p", "number": pattern}}, p=said).rejections

    assert rejection.part == "price"


def test_a_path_of_the_document_sees_what_stood_around_the_record():
    assert a_plan({"currency": {"path": "$.currency", "of": "document"}}).details
