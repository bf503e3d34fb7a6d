"""What a feed says -> records: both dialects, and every trap that real feeds hold."""

# ruff: noqa: DTZ001 - the times of a feed are naive

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.demo import RESPONSES as DEMO
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import FeedSnapshot
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason
from app.domain.plans import Plan, PlanKey, SellMode, Zone
from tests.support.feeds import a_document
from tests.support.fetched import fetched

DIALECT_A = Path(__file__).parents[2] / "data"

ZONE = {"zone_id": "40", "capacity": "243", "price": "20.00", "name": "Platea", "numbered": "true"}
ITEM = {
    "plan_id": "291",
    "plan_start_date": "2021-06-30T21:00:00",
    "plan_end_date": "2021-06-30T22:00:00",
    "sell_from": "2020-07-01T00:00:00",
    "sell_to": "2021-06-30T20:00:00",
    "sold_out": "false",
}
BASE = {"base_plan_id": "291", "sell_mode": "online", "title": "Camela en concierto"}


async def snapshot_of(path: Path, timezone: str = "Europe/Madrid") -> FeedSnapshot:
    provider = PlanListXmlProvider(name="demo", url=path.as_uri(), timezone=timezone)
    return await fetched(provider)


async def read(path: Path, timezone: str = "Europe/Madrid") -> tuple[list[FeedRecord], dict[str, int]]:
    snapshot = await snapshot_of(path, timezone)
    try:
        records = [record async for batch in snapshot.records() for record in batch]
        return records, dict(snapshot.ignored)
    finally:
        await snapshot.aclose()


@pytest.fixture
def feed(tmp_path: Path) -> "Feed":
    return Feed(tmp_path / "feed.xml")


class Feed:
    """Reads what a test writes down."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def of(self, bases: str) -> tuple[list[FeedRecord], dict[str, int]]:
        self._path.write_bytes(a_document(bases))
        return await read(self._path)

    async def plan(self, bases: str) -> Plan:
        [record], _ = await self.of(bases)
        assert isinstance(record, PlanRecord), record
        return record.plan

    async def rejection(self, bases: str) -> Rejection:
        [record], _ = await self.of(bases)
        assert isinstance(record, Rejection), record
        assert record.part is None
        return record

    async def part(self, bases: str) -> tuple[Plan, Rejection]:
        [record, rejection], _ = await self.of(bases)
        assert isinstance(record, PlanRecord), record
        assert isinstance(rejection, Rejection), rejection
        return record.plan, rejection


def element(tag: str, attributes: dict[str, str], *children: str, without: str = "", **other: str) -> str:
    said = [f'{name}="{value}"' for name, value in (attributes | other).items() if name != without]
    return f"<{tag} {' '.join(said)}>\n{''.join(children)}</{tag}>\n"


def base(*items: str, without: str = "", **other: str) -> str:
    return element("base_plan", BASE, *(items or (item(),)), without=without, **other)


def item(*zones: str, without: str = "", **other: str) -> str:
    return element("plan", ITEM, *(zones or (zone(),)), without=without, **other)


def zone(without: str = "", **other: str) -> str:
    return element("zone", ZONE, without=without, **other)


def plans(records: Sequence[FeedRecord]) -> list[Plan]:
    return [record.plan for record in records if isinstance(record, PlanRecord)]


async def test_the_first_response_in_dialect_b_is_read_whole():
    records, ignored = await read(DEMO[0])

    assert [plan.key[1:] for plan in plans(records)] == [
        ("291", "291"),
        ("322", "1642"),
        ("322", "1643"),
        ("1591", "1642"),
    ]
    assert ignored == {}
    assert plans(records)[0] == Plan(
        key=PlanKey("demo", "291", "291"),
        title="Camela en concierto",
        sell_mode=SellMode.ONLINE,
        starts=datetime(2021, 6, 30, 21),
        ends=datetime(2021, 6, 30, 22),
        timezone="Europe/Madrid",
        organizer_id=None,
        sell_from=datetime(2020, 7, 1),
        sell_to=datetime(2021, 6, 30, 20),
        sold_out=False,
        zones=(
            Zone("40", 243, Decimal("20.00"), "Platea", numbered=True),
            Zone("38", 100, Decimal("15.00"), "Grada 2", numbered=False),
            Zone("30", 90, Decimal("30.00"), "A28", numbered=True),
        ),
    )


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_both_dialects_say_the_same_with_the_same_digests(number: int):
    in_a, _ = await read(DIALECT_A / f"dialect_a_{number}.xml")
    in_b, _ = await read(DEMO[number - 1])

    said_in_a = {record.plan.key: record for record in in_a if isinstance(record, PlanRecord)}
    said_in_b = {record.plan.key: record for record in in_b if isinstance(record, PlanRecord)}
    said_in_b.pop(PlanKey("demo", "322", "1643"), None)  # dialect A does not have it
    assert said_in_a == said_in_b


@pytest.mark.parametrize("number", [2, 3])
async def test_a_day_that_does_not_exist_is_rejected_and_the_others_stay(number: int):
    records, _ = await read(DEMO[number - 1])

    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert [plan.key.base_id for plan in plans(records)] == ["291", "1591"]
    assert rejection.reason is RejectionReason.INVALID_DATE
    assert rejection.key == PlanKey("demo", "444", "1642")
    assert "2021-09-31T20:00:00" in rejection.message
    assert rejection.source.startswith('<plan plan_id="1642"')
    assert DEMO[number - 1].read_text().splitlines()[rejection.line - 1].strip().startswith("<plan ")


async def test_a_zone_id_may_repeat_within_an_item():
    records, _ = await read(DEMO[0])

    [morancos] = [plan for plan in plans(records) if plan.key.base_id == "1591"]
    assert [(zone.zone_id, zone.price) for zone in morancos.zones] == [
        ("186", Decimal("75.00")),
        ("186", Decimal("65.00")),
    ]


async def test_a_base_may_hold_several_items(feed: Feed):
    records, _ = await feed.of(base(item(plan_id="1"), item(plan_id="2"), item(plan_id="3")))

    assert [plan.key for plan in plans(records)] == [PlanKey("demo", "291", number) for number in "123"]


async def test_a_price_of_nothing_is_a_price(feed: Feed):
    plan = await feed.plan(base(item(zone(price="0.00"))))

    assert plan.zones[0].price == 0
    assert str(plan.zones[0].price) == "0.00"


async def test_an_item_without_zones_is_a_plan(feed: Feed):
    plan = await feed.plan(base(element("plan", ITEM)))

    assert plan.zones == ()


async def test_start_and_end_may_be_the_same(feed: Feed):
    plan = await feed.plan(base(item(plan_end_date=ITEM["plan_start_date"])))

    assert plan.starts == plan.ends


@pytest.mark.parametrize("name", ["sell_from", "sell_to", "sold_out"])
async def test_an_item_need_not_say_when_it_is_sold(feed: Feed, name: str):
    plan = await feed.plan(base(item(without=name)))

    assert getattr(plan, name) in (None, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-06-30T21:00:00.5", datetime(2021, 6, 30, 21, 0, 0, 500_000)),
        ("2021-06-30T21:00:00.123456789", datetime(2021, 6, 30, 21, 0, 0, 123_456)),
        ("2020-02-29T00:00:00", datetime(2020, 2, 29)),
        ("9999-12-31T22:00:00", datetime(9999, 12, 31, 22)),
    ],
)
async def test_a_time_may_have_fractions_of_a_second(feed: Feed, text: str, expected: datetime):
    plan = await feed.plan(base(item(plan_start_date=text, plan_end_date="9999-12-31T23:00:00")))

    assert plan.starts == expected


@pytest.mark.parametrize(
    "text",
    [
        *("2021-09-31T20:00:00", "2021-02-29T20:00:00", "2021-13-01T20:00:00", "2021-06-30T24:00:01"),
        *("2021-06-30T21:00:60", "2021-06-30", "2021-06-30 21:00:00", "2021-06-30T21:00", "20210630T210000"),
        *("2021-06-30T21:00:00Z", "2021-06-30T21:00:00+02:00", "", " 2021-06-30T21:00:00", "٢٠٢١-06-30T21:00:00"),
        *("0000-01-01T00:00:00", "2021-W26-3T21:00:00", "2021-06-30T21:00:00,5"),
    ],
)
async def test_anything_else_is_no_time(feed: Feed, text: str):
    rejection = await feed.rejection(base(item(plan_start_date=text)))

    assert rejection.reason is RejectionReason.INVALID_DATE
    assert "plan_start_date" in rejection.message
    assert rejection.key == PlanKey("demo", "291", "291")

    plan, rejection = await feed.part(base(item(plan_end_date=text)))
    assert plan.ends is None
    assert (rejection.reason, rejection.part) == (RejectionReason.INVALID_DATE, "plan_end_date")


async def test_a_time_that_utc_does_not_have_is_rejected(tmp_path: Path):
    (tmp_path / "feed.xml").write_bytes(a_document(base(item(plan_start_date="0001-01-01T00:00:00"))))

    [rejection], _ = await read(tmp_path / "feed.xml", "Asia/Tokyo")

    assert isinstance(rejection, Rejection)
    assert rejection.reason is RejectionReason.INVALID_DATE


async def test_an_end_before_the_start_is_rejected_and_never_swapped(feed: Feed):
    rejection = await feed.rejection(base(item(plan_end_date="2021-06-30T20:59:59")))

    assert rejection.reason is RejectionReason.ENDS_BEFORE_START
    assert "2021-06-30T20:59:59" in rejection.message


@pytest.mark.parametrize("text", ["-1", "1.5", "", "ten", "1e3", "+5", " 5", "1_000", "٣", "9" * 19, "0x10"])
async def test_a_capacity_is_an_integer_of_nothing_or_more(feed: Feed, text: str):
    plan, rejection = await feed.part(base(item(zone(), zone(zone_id="41", capacity=text), zone(zone_id="42"))))

    assert [zone.zone_id for zone in plan.zones] == ["40", "42"]
    assert rejection.reason is RejectionReason.INVALID_NUMBER
    assert rejection.message.startswith("zone 41: capacity is ")
    assert rejection.part == "zone 41: capacity"
    assert rejection.key == plan.key
    assert rejection.line == 7  # of the zone, not of its item
    assert rejection.source.startswith('<zone zone_id="41"')


@pytest.mark.parametrize(
    "text", ["-1.00", "20,00", "", "free", "NaN", "Infinity", "1e3", "+5", " 5", "1_000", "٣.00", ".5", "5.", "9" * 13]
)
async def test_a_price_is_a_decimal_of_nothing_or_more(feed: Feed, text: str):
    plan, rejection = await feed.part(base(item(zone(price=text))))

    assert (plan.zones, plan.prices) == ((), None)
    assert rejection.reason is RejectionReason.INVALID_NUMBER
    assert rejection.message.startswith("zone 40: price is ")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("20", "20.00"),
        ("20.0", "20.00"),
        ("020.00", "20.00"),
        ("20.000", "20.00"),
        ("20.005", "20.005"),
        ("100", "100.00"),
    ],
)
async def test_a_price_keeps_its_value_in_one_form(feed: Feed, text: str, kept: str):
    plan = await feed.plan(base(item(zone(price=text))))

    assert str(plan.zones[0].price) == kept


async def test_equal_prices_give_equal_digests_however_they_are_written(feed: Feed):
    digests = set()
    for text in ("20", "20.0", "20.00", "020.000"):
        [record], _ = await feed.of(base(item(zone(price=text))))
        assert isinstance(record, PlanRecord)
        digests.add(record.digest)

    assert len(digests) == 1


@pytest.mark.parametrize("text", ["True", "1", "", "yes"])
async def test_numbered_and_sold_out_are_true_or_false(feed: Feed, text: str):
    parts = {"sold_out": base(item(sold_out=text)), "zone 40: numbered": base(item(zone(numbered=text)))}
    for part, bases in parts.items():
        plan, rejection = await feed.part(bases)

        assert (plan.sold_out, len(plan.zones)) == (False, 1)
        assert (rejection.reason, rejection.part) == (RejectionReason.INVALID_VALUE, part)
        assert "expected true or false" in rejection.message


async def test_a_sell_mode_is_online_or_offline(feed: Feed):
    assert (await feed.plan(base(sell_mode="offline"))).sell_mode is SellMode.OFFLINE

    rejection = await feed.rejection(base(sell_mode="Online"))
    assert rejection.reason is RejectionReason.INVALID_VALUE
    assert "expected online or offline" in rejection.message
    assert rejection.line == 3  # of the base


@pytest.mark.parametrize("name", ["zone_id", "capacity", "price", "name", "numbered"])
async def test_a_zone_says_everything(feed: Feed, name: str):
    for zones in ([zone(without=name)], [zone(), zone(without=name), zone()]):
        plan, rejection = await feed.part(base(item(*zones)))

        assert len(plan.zones) == len(zones) - (name in {"zone_id", "capacity", "price"})
        assert rejection.reason is RejectionReason.MISSING_ATTRIBUTE
        assert rejection.message.endswith(f"zone has no {name}")
        assert rejection.part in {f"zone 40: {name}", f"zone without id: {name}"}


async def test_a_zone_without_what_no_answer_needs_keeps_its_price(feed: Feed):
    records, _ = await feed.of(base(item(zone(name="x" * 1_001, numbered="1", price="7.50"))))

    [plan] = plans(records)
    assert plan.zones == (Zone("40", 243, Decimal("7.50"), "", numbered=False),)
    assert [record.part for record in records if isinstance(record, Rejection)] == [
        "zone 40: name",
        "zone 40: numbered",
    ]


@pytest.mark.parametrize("name", ["sell_from", "sell_to"])
async def test_a_sale_time_that_cannot_be_read_costs_itself(feed: Feed, name: str):
    plan, rejection = await feed.part(base(item(**{name: "2021-02-30T20:00:00"})))

    assert getattr(plan, name) is None
    assert (rejection.reason, rejection.part) == (RejectionReason.INVALID_DATE, name)
    assert rejection.key == plan.key
    assert rejection.line == 4


async def test_an_organizer_that_is_none_is_told_once_for_its_base(feed: Feed):
    bad = base(item(plan_start_date="soon"), item(plan_id="1"), item(plan_id="2"), organizer_company_id="")

    records, _ = await feed.of(bad)

    rejected = [record for record in records if isinstance(record, Rejection)]
    assert [plan.organizer_id for plan in plans(records)] == [None, None]
    assert [record.part for record in rejected] == [None, "organizer_company_id"]
    assert (rejected[1].base_id, rejected[1].key, rejected[1].line) == ("291", None, 3)
    assert records.index(rejected[1]) == 2  # behind the base's first plan


async def test_parts_follow_their_plan_and_leave_its_digest_to_what_it_says(feed: Feed):
    faulty, _ = await feed.of(base(item(zone(), zone(price="x"), sold_out="no")))
    faultless, _ = await feed.of(base(item(zone())))

    assert faulty[0] == faultless[0]
    assert [type(record) for record in faulty] == [PlanRecord, Rejection, Rejection]


async def test_an_item_says_when_it_begins(feed: Feed):
    rejection = await feed.rejection(base(item(without="plan_start_date")))

    assert rejection.reason is RejectionReason.MISSING_ATTRIBUTE
    assert rejection.message == "plan has no plan_start_date"
    assert rejection.key == PlanKey("demo", "291", "291")


async def test_an_item_that_does_not_say_when_it_ends_is_a_plan_without_an_end(feed: Feed):
    plan, rejection = await feed.part(base(item(without="plan_end_date")))

    assert plan.ends is None
    assert (rejection.reason, rejection.part) == (RejectionReason.MISSING_ATTRIBUTE, "plan_end_date")


async def test_an_item_without_an_id_leaves_its_base_in_doubt(feed: Feed):
    records, _ = await feed.of(base(item(), item(without="plan_id"), item(plan_id="2")))

    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert (rejection.reason, rejection.key, rejection.base_id) == (RejectionReason.MISSING_ATTRIBUTE, None, "291")
    assert [plan.key.item_id for plan in plans(records)] == ["291", "2"]


@pytest.mark.parametrize("name", ["title", "sell_mode"])
async def test_a_base_that_says_too_little_rejects_each_of_its_items(feed: Feed, name: str):
    records, _ = await feed.of(base(item(plan_id="1"), item(plan_id="2"), without=name) + base())

    rejected = [record for record in records if isinstance(record, Rejection)]
    assert [record.key for record in rejected] == [PlanKey("demo", "291", "1"), PlanKey("demo", "291", "2")]
    assert {record.reason for record in rejected} == {RejectionReason.MISSING_ATTRIBUTE}
    assert [plan.key.item_id for plan in plans(records)] == ["291"]


async def test_items_of_a_base_without_an_id_have_no_key(feed: Feed):
    rejection = await feed.rejection(base(without="base_plan_id"))

    assert (rejection.reason, rejection.key, rejection.base_id) == (RejectionReason.MISSING_ATTRIBUTE, None, None)


async def test_a_base_without_items_is_rejected(feed: Feed):
    rejection = await feed.rejection(element("base_plan", BASE, "<banner/>"))

    assert (rejection.reason, rejection.base_id) == (RejectionReason.NO_ITEMS, "291")
    assert rejection.line == 3


@pytest.mark.parametrize(
    ("bases", "reason"),
    [
        (base(base_plan_id="x" * 256), RejectionReason.INVALID_ID),
        (base(base_plan_id=""), RejectionReason.INVALID_ID),
        (base(organizer_company_id="x" * 256), RejectionReason.INVALID_ID),
        (base(title="x" * 1_001), RejectionReason.INVALID_VALUE),
        (base(title="  "), RejectionReason.INVALID_VALUE),
        (base(item(plan_id="x" * 256)), RejectionReason.INVALID_ID),
        (base(item(zone(), zone(zone_id="x" * 256))), RejectionReason.INVALID_ID),
        (base(item(zone(), zone(zone_id=""))), RejectionReason.INVALID_ID),
        (base(item(zone(), zone(name="x" * 1_001))), RejectionReason.INVALID_VALUE),
        (base(item(*[zone()] * 10_001)), RejectionReason.INVALID_VALUE),
    ],
)
async def test_there_are_limits_to_how_long_things_are(feed: Feed, bases: str, reason: RejectionReason):
    records, _ = await feed.of(bases)

    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert rejection.reason is reason
    assert len(rejection.message) < 500
    assert len(rejection.source) <= 2_000


async def test_what_is_as_long_as_it_may_be_is_taken(feed: Feed):
    plan = await feed.plan(
        base(
            item(*[zone(zone_id="z" * 255, name="n" * 1_000)] * 2, *[zone(name="")] * 9_998, plan_id="p" * 255),
            base_plan_id="b" * 255,
            organizer_company_id="o" * 255,
            title="t" * 1_000,
        )
    )

    assert len(plan.zones) == 10_000


async def test_what_is_unknown_is_ignored_and_counted(feed: Feed):
    known = await feed.plan(base())
    coloured = zone(colour="red") + zone(colour="blue")

    records, ignored = await feed.of(
        "<banner><plan plan_id='9'/></banner>"
        + element(
            "base_plan",
            BASE,
            "<!-- a comment --><?an instruction?><hint/>",
            item(coloured, "<note>text<b/></note>", promoter="x"),
            "<hint/>",
            item(zone(), zone(colour="red"), plan_id="2"),
            item("<zone-group/>", zone().replace("</zone>", "<seat/></zone>"), plan_id="3"),
            stage="main",
        )
        + "<banner/>"
    )

    assert [plan.key.item_id for plan in plans(records)] == ["291", "2", "3"]
    assert plans(records)[2].zones == known.zones
    assert ignored == {
        "banner": 2,
        "base_plan@stage": 1,
        "hint": 2,
        "note": 1,
        "plan@promoter": 1,
        "seat": 1,
        "zone-group": 1,
        "zone@colour": 3,
    }


async def test_the_names_that_are_counted_are_bounded(feed: Feed):
    _, ignored = await feed.of("".join(f"<unknown-{number}/>" for number in range(3_000)) + base())

    assert len(ignored) == 1_001
    assert ignored["(others)"] == 2_000


async def test_zones_may_say_things_in_any_order(feed: Feed):
    turned = dict(reversed(ZONE.items()))

    as_usual = await feed.plan(base(item(zone(), zone(zone_id="41"))))
    all_turned = await feed.plan(base(item(element("zone", turned), element("zone", turned, zone_id="41"))))
    one_turned = await feed.plan(base(item(zone(), element("zone", turned, zone_id="41"))))

    assert as_usual == all_turned == one_turned


async def test_bases_in_other_places_are_unknown_elements(feed: Feed):
    records, ignored = await feed.of(
        f"<archive>{base()}</archive>" + base(f"<archive>{item()}</archive>", item(plan_id="2"))
    )

    assert [plan.key.item_id for plan in plans(records)] == ["2"]
    assert ignored == {"archive": 2}


async def test_a_record_that_says_the_same_again_is_passed_over(feed: Feed):
    records, _ = await feed.of(base() + base(item(plan_id="2")) + base())

    assert [plan.key.item_id for plan in plans(records)] == ["291", "2"]
    assert len(records) == 2


async def test_a_record_that_says_something_else_of_the_same_item_is_rejected(feed: Feed):
    records, _ = await feed.of(base() + base(title="Another"))

    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert [plan.title for plan in plans(records)] == ["Camela en concierto"]
    assert (rejection.reason, rejection.key) == (RejectionReason.DUPLICATE, PlanKey("demo", "291", "291"))


async def test_one_bad_record_in_10_000_costs_no_other_one(feed: Feed):
    bases = [base(item(plan_id=str(number)), base_plan_id=str(number)) for number in range(10_000)]
    bases[6_789] = base(item(plan_id="6789", plan_start_date="soon"), base_plan_id="6789")

    records, _ = await feed.of("".join(bases))

    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert len(plans(records)) == 9_999
    assert rejection.key == PlanKey("demo", "6789", "6789")
    assert rejection.line == 3 + 6_789 * 6 + 1


async def test_lines_are_right_beyond_65_535(feed: Feed):
    bases = [base(item(*[zone()] * 100, plan_id=str(number))) for number in range(400)]
    bases[390] = base(item(*[zone()] * 50, zone(price="free"), zone(), plan_id="390"))
    bases[391] = base(item(without="plan_start_date"))

    records, _ = await feed.of("".join(bases))

    lines = [record.line for record in records if isinstance(record, Rejection)]
    assert lines == [3 + 390 * 204 + 2 + 2 * 50, 3 + 390 * 204 + 4 + 2 * 52 + 1]
    assert min(lines) > 65_535


async def test_lines_are_right_in_a_base_of_more_than_65_535(feed: Feed):
    items = [item(*[zone()] * 100, plan_id=str(number)) for number in range(400)]
    items[390] = item(plan_start_date="soon").replace("\n", "")

    records, _ = await feed.of(base(*items))

    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert len(plans(records)) == 399
    assert rejection.line == 3 + 1 + 390 * 202 > 65_535


zone_texts = st.fixed_dictionaries(
    {
        "zone_id": st.sampled_from(["1", "", "x" * 255, "x" * 256]),
        "capacity": st.sampled_from(["0", "7", "-1", "x"]),
        "price": st.sampled_from(["0.00", "7.5", "20", "-1", "NaN"]),
        "name": st.sampled_from(["", "A", "x" * 1_001]),
        "numbered": st.sampled_from(["true", "false", "yes"]),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(zone_texts, min_size=1, max_size=4))
async def test_zones_are_judged_the_same_together_and_one_by_one(feed: Feed, zones: list[dict[str, str]]):
    """An unknown attribute in the first zone alone makes the zones differ, and so they are read one by one."""
    together, _ = await feed.of(base(item(*[element("zone", each) for each in zones])))
    first, *others = zones
    apart = [element("zone", first, colour="red"), *[element("zone", other) for other in others]]
    one_by_one, _ = await feed.of(base(item(*apart)))

    assert [_told(record) for record in together] == [_told(record) for record in one_by_one]


def _told(record: FeedRecord) -> object:
    return (record.reason, record.message, record.line, record.part) if isinstance(record, Rejection) else record
