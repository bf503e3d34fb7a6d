"""Feeds as a whole: the three responses of the challenge, both dialects judged alike, documents changed by chance."""

# ruff: noqa: ASYNC240, DTZ001 - a test may wait for its file; the times of a feed are naive

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.demo import RESPONSES as DEMO
from app.adapters.outbound.providers.plan_list.dialects import DIALECTS, Dialect
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import FeedBrokenError, FeedError, FeedRefusedError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason
from app.domain.plans import Plan, PlanKey, SellMode, Zone
from tests.support.feed_server import MIB, FeedServer, answer
from tests.support.feeds import a_document
from tests.support.fetched import fetched

RESPONSES = {
    "eventList": tuple(Path(__file__).parents[2] / "data" / f"dialect_a_{number}.xml" for number in (1, 2, 3)),
    "planList": DEMO,
}
BOTH = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)

Reading = tuple[list[FeedRecord], FeedError | None, dict[str, int]]


async def read(path: Path) -> Reading:
    """Read all that can be read: the records, how it ended, and what was ignored."""
    try:
        snapshot = await fetched(PlanListXmlProvider(name="demo", url=path.as_uri(), timezone="Europe/Madrid"))
    except FeedError as error:  # bytes that begin as a gzip does
        return [], error, {}
    records: list[FeedRecord] = []
    failure = None
    try:
        async for batch in snapshot.records():
            records += batch
    except FeedError as error:
        failure = error
    finally:
        await snapshot.aclose()
    return records, failure, dict(snapshot.ignored)


def plans(records: Iterable[FeedRecord]) -> list[Plan]:
    return [record.plan for record in records if isinstance(record, PlanRecord)]


def rejections(records: Iterable[FeedRecord]) -> list[Rejection]:
    return [record for record in records if isinstance(record, Rejection)]


class Feed:
    """Reads what a test writes down, in one of the dialects."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path = path
        self._dialect = dialect

    async def of(self, *bases: str) -> Reading:
        return await self.of_bytes(a_document("".join(bases), root=self._dialect.root))

    async def of_bytes(self, content: bytes) -> Reading:
        self._path.write_bytes(content)
        return await read(self._path)

    async def rejection(self, *bases: str) -> Rejection:
        [record], failure, _ = await self.of(*bases)
        assert failure is None
        assert isinstance(record, Rejection), record
        return record

    def base(self, *items: str, without: str = "", **other: str) -> str:
        said = {self._dialect.base_id: "291", "sell_mode": "online", "title": "Camela en concierto"}
        return _element(self._dialect.base, said | other, "".join(items or [self.item()]), without)

    def item(self, inside: str | None = None, *, number: str = "291", without: str = "", **other: str) -> str:
        said = {
            self._dialect.item_id: number,
            self._dialect.starts: "2021-06-30T21:00:00",
            self._dialect.ends: "2021-06-30T22:00:00",
        }
        return _element(self._dialect.item, said | other, zone() if inside is None else inside, without)


def zone(**other: str) -> str:
    said = {"zone_id": "40", "capacity": "243", "price": "20.00", "name": "Platea", "numbered": "true"}
    return _element("zone", said | other)


def _element(tag: str, said: Mapping[str, str], inside: str = "", without: str = "") -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in said.items() if name != without)
    return f"<{tag}{attributes}>{inside}</{tag}>\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.xml"


@pytest.fixture
def feed(path: Path, dialect: Dialect) -> Feed:
    return Feed(path, dialect)


def _camela(ends: str, *capacities: int) -> Plan:
    seats = [("40", "20.00", "Platea", True), ("38", "15.00", "Grada 2", False), ("30", "30.00", "A28", True)]
    return Plan(
        key=PlanKey("demo", "291", "291"),
        title="Camela en concierto",
        sell_mode=SellMode.ONLINE,
        starts=datetime(2021, 6, 30, 21),
        ends=datetime.fromisoformat(f"2021-06-30T{ends}"),
        timezone="Europe/Madrid",
        sell_from=datetime(2020, 7, 1),
        sell_to=datetime(2021, 6, 30, 20),
        zones=tuple(
            Zone(number, left, Decimal(price), name, numbered)
            for (number, price, name, numbered), left in zip(seats, capacities, strict=True)
        ),
    )


def _pantomima(item: str, day: int) -> Plan:
    return Plan(
        key=PlanKey("demo", "322", item),
        title="Pantomima Full",
        sell_mode=SellMode.ONLINE,
        organizer_id="2",
        starts=datetime(2021, 2, day, 20),
        ends=datetime(2021, 2, day, 21, 30),
        timezone="Europe/Madrid",
        sell_from=datetime(2021, 1, 1),
        sell_to=datetime(2021, 2, day - 1, 19, 50),
        zones=(Zone("311", 2, Decimal("55.00"), "A42", numbered=True),),
    )


def _morancos(ends: str, numbered: int, not_numbered: int) -> Plan:
    return Plan(
        key=PlanKey("demo", "1591", "1642"),
        title="Los Morancos",
        sell_mode=SellMode.ONLINE,
        organizer_id="1",
        starts=datetime(2021, 7, 31, 20),
        ends=datetime.fromisoformat(f"2021-07-31T{ends}"),
        timezone="Europe/Madrid",
        sell_from=datetime(2021, 6, 26),
        sell_to=datetime(2021, 7, 31, 19, 50),
        zones=(
            Zone("186", numbered, Decimal("75.00"), "Amfiteatre", numbered=True),
            Zone("186", not_numbered, Decimal("65.00"), "Amfiteatre", numbered=False),
        ),
    )


SAID = {
    1: [_camela("22:00", 243, 100, 90), _pantomima("1642", 10), _pantomima("1643", 11), _morancos("21:00", 2, 16)],
    2: [_camela("22:00", 240, 50, 90), _morancos("21:20", 0, 14)],
    3: [_camela("21:30", 200, 0, 80), _morancos("21:00", 0, 12)],
}
"""What the three responses say, from the design and not from the files; dialect A does not have item 1643."""


@pytest.mark.parametrize("number", SAID)
@pytest.mark.parametrize("root", RESPONSES)
async def test_each_response_says_what_the_challenge_says(root: str, number: int):
    records, failure, ignored = await read(RESPONSES[root][number - 1])

    missing = {"1643"} if root == "eventList" else set[str]()
    assert plans(records) == [plan for plan in SAID[number] if plan.key.item_id not in missing]
    assert (failure, ignored) == (None, {})
    assert [rejection.key for rejection in rejections(records)] == [PlanKey("demo", "444", "1642")] * (number > 1)


@pytest.mark.parametrize("number", [2, 3])
async def test_both_dialects_reject_the_same_record_for_the_same_reason(number: int):
    [in_a], [in_b] = [rejections((await read(RESPONSES[root][number - 1]))[0]) for root in ("eventList", "planList")]

    assert in_a.reason is in_b.reason is RejectionReason.INVALID_DATE
    assert in_a.key == in_b.key
    assert in_a.line == in_b.line
    assert in_a.message == in_b.message.replace("plan_", "event_")
    assert "<event event_id=" in in_a.source
    assert "2021-09-31T20:00:00" in in_a.source


@pytest.mark.parametrize("root", RESPONSES)
async def test_one_item_id_under_three_bases_is_three_plans(root: str):
    keys = {
        record.plan.key if isinstance(record, PlanRecord) else record.key
        for response in RESPONSES[root]
        for record in (await read(response))[0]
        if isinstance(record, PlanRecord | Rejection)
    }

    of_1642 = [key for key in keys if key and key.item_id == "1642"]
    assert sorted(key.base_id for key in of_1642) == ["1591", "322", "444"]
    assert len({key.plan_id for key in of_1642}) == 3


@BOTH
async def test_each_missing_attribute_is_named_as_the_dialect_names_it(feed: Feed, dialect: Dialect):
    for name in (dialect.base_id, "sell_mode", "title"):
        rejection = await feed.rejection(feed.base(without=name))

        assert rejection.reason is RejectionReason.MISSING_ATTRIBUTE
        assert f"{dialect.base} has no {name}" in rejection.message
    for name in (dialect.item_id, dialect.starts):
        rejection = await feed.rejection(feed.base(feed.item(without=name)))

        assert rejection.reason is RejectionReason.MISSING_ATTRIBUTE
        assert rejection.message == f"{dialect.item} has no {name}"


@BOTH
async def test_names_of_the_other_dialect_are_unknown(feed: Feed, dialect: Dialect):
    [other] = [each for each in DIALECTS.values() if each is not dialect]
    elsewhere = Feed(Path(), other)

    records, failure, ignored = await feed.of(feed.base(**{other.base_id: "9"}), elsewhere.base())

    assert [plan.key.base_id for plan in plans(records)] == ["291"]
    assert (len(records), failure) == (1, None)
    assert ignored == {f"{dialect.base}@{other.base_id}": 1, other.base: 1}


@BOTH
async def test_a_duplicate_is_told_by_its_content(feed: Feed, dialect: Dialect):
    same, other = feed.base(), feed.base(feed.item(zone(capacity="1")))

    records, _, _ = await feed.of(same, same, other, same)

    [rejection] = rejections(records)
    assert len(plans(records)) == 1
    assert (rejection.reason, rejection.key) == (RejectionReason.DUPLICATE, PlanKey("demo", "291", "291"))
    assert rejection.line == 3 + 2 * 3
    assert dialect.base in rejection.message


@BOTH
async def test_a_duplicate_of_a_rejected_record_is_taken(feed: Feed, dialect: Dialect):
    records, _, _ = await feed.of(feed.base(feed.item(**{dialect.starts: "x"})), feed.base())

    assert [type(record) for record in records] == [Rejection, PlanRecord]


@BOTH
async def test_an_end_before_the_start_is_rejected_and_an_end_at_the_start_is_not(feed: Feed, dialect: Dialect):
    before = feed.item(number="1", **{dialect.ends: "2021-06-30T20:59:59.999999"})
    at = feed.item(number="2", **{dialect.ends: "2021-06-30T21:00:00"})

    records, _, _ = await feed.of(feed.base(before, at))

    assert [rejection.reason for rejection in rejections(records)] == [RejectionReason.ENDS_BEFORE_START]
    assert [plan.key.item_id for plan in plans(records)] == ["2"]


@BOTH
async def test_a_sale_may_end_before_it_begins_or_after_the_plan(feed: Feed):
    """Sale times are no plan times: nothing is searched by them, and providers leave them behind."""
    records, _, _ = await feed.of(
        feed.base(feed.item(sell_from="2022-01-01T00:00:00", sell_to="2021-01-01T00:00:00", sold_out="true"))
    )

    [plan] = plans(records)
    assert (plan.sell_from, plan.sell_to, plan.sold_out) == (datetime(2022, 1, 1), datetime(2021, 1, 1), True)


@pytest.mark.parametrize("name", ["capacity", "price"])
@pytest.mark.parametrize(
    "text", ["-0", "-Infinity", "+Infinity", "sNaN", "1e400", "1E-400", "0x1p3", "1.0.0", "\u00bd", "9" * 5_000, "9,0"]
)
@pytest.mark.parametrize("dialect", [DIALECTS["eventList"]], ids=["eventList"])
async def test_a_number_that_is_none_costs_one_zone_and_a_short_message(feed: Feed, name: str, text: str):
    records, failure, _ = await feed.of(feed.base(feed.item(zone(**{name: text})), feed.item(number="2")))

    [rejection] = rejections(records)
    assert failure is None
    assert rejection.reason is RejectionReason.INVALID_NUMBER
    assert len(rejection.message) < 300
    assert len(rejection.source) <= 2_000
    assert [plan.key.item_id for plan in plans(records)] == ["291", "2"]


@BOTH
async def test_a_title_is_what_its_characters_stand_for(feed: Feed):
    written = "Ñ &#241; &#x1F3B8; &lt;b&gt; &amp;amp; &quot;x&quot; \u0645\u0631\u062d\u0628\u0627 &#10;end"

    records, _, _ = await feed.of(feed.base(title=written))

    [plan] = plans(records)
    assert plan.title == 'Ñ ñ \U0001f3b8 <b> &amp; "x" \u0645\u0631\u062d\u0628\u0627 \nend'


@BOTH
async def test_what_stands_between_elements_changes_no_record(feed: Feed):
    noise = "<!-- <zone/> --><?php echo 1 ?><![CDATA[<zone zone_id='9'/>]]> text &amp; &#241; "
    plain, _, _ = await feed.of(feed.base(feed.item(zone() + zone()), feed.item(number="2")), feed.base())

    noisy, failure, ignored = await feed.of(
        noise,
        feed.base(noise, feed.item(noise + zone() + noise + zone() + noise), noise, feed.item(number="2"), noise),
        noise,
        feed.base(),
        noise,
    )

    assert noisy == plain
    assert (failure, ignored) == (None, {})


@BOTH
async def test_names_of_other_namespaces_are_unknown_and_counted(feed: Feed, dialect: Dialect):
    foreign = "<x:zone zone_id='9'/><include xmlns='http://www.w3.org/2001/XInclude' href='/etc/passwd' parse='text'/>"
    inside = feed.base(feed.item(foreign + zone()), **{"xmlns:x": "urn:x", "x:title": "Another"})
    records, failure, ignored = await feed.of(inside)

    [plan] = plans(records)
    assert failure is None
    assert (plan.title, len(plan.zones)) == ("Camela en concierto", 1)
    assert ignored == {
        f"{dialect.base}@{{urn:x}}title": 1,
        "{urn:x}zone": 1,
        "{http://www.w3.org/2001/XInclude}include": 1,
    }


@BOTH
async def test_one_bad_record_of_each_kind_costs_itself_alone(feed: Feed, dialect: Dialect):
    bad = [
        feed.base(feed.item(number="x" * 256)),
        feed.base(feed.item(**{dialect.ends: "2021-06-30T20:59:59"})),
        feed.base(sell_mode="both"),
        feed.base(" "),
        feed.base(feed.item(**{dialect.starts: "2021-02-30T20:00:00"})),
        feed.base(title=""),
    ]
    good = [feed.base(**{dialect.base_id: f"good {number}"}) for number in range(len(bad))]

    records, failure, _ = await feed.of(*(base for pair in zip(bad, good, strict=True) for base in pair))

    assert failure is None
    assert [type(record) for record in records] == [Rejection, PlanRecord] * len(bad)
    assert [rejection.line for rejection in rejections(records)] == [3 + 3 * 0, *_lines_of(bad, good)]


def _lines_of(bad: list[str], good: list[str]) -> Iterator[int]:
    line = 3
    for left, right in list(zip(bad, good, strict=True))[:-1]:
        line += left.count("\n") + right.count("\n")
        yield line


@BOTH
async def test_no_doctype_is_taken_and_what_it_names_is_never_read(path: Path, feed: Feed, dialect: Dialect):
    secret = path.with_name("secret.txt")
    secret.write_text("TOP-SECRET")
    with FeedServer(answer(200, "TOP-SECRET")) as server:
        doctypes = [
            f"<!DOCTYPE {dialect.root}>",
            f"<!DOCTYPE {dialect.root} SYSTEM '{server.url}'>",
            f"<!DOCTYPE {dialect.root} PUBLIC 'x' '{secret.as_uri()}'>",
        ]
        for doctype in doctypes:
            for encoding in ("utf-8", "utf-16", "iso-8859-15"):
                text = a_document(feed.base(title="T"), root=dialect.root).decode()
                declared = text.replace("UTF-8", encoding).replace("\n", f"\n{doctype}", 1)
                records, failure, ignored = await feed.of_bytes(declared.encode(encoding))

                assert isinstance(failure, FeedRefusedError)
                assert "DOCTYPE" in str(failure)
                assert "SECRET" not in f"{records} {failure} {failure.__cause__} {ignored}"
        assert server.requests == []


@BOTH
async def test_a_doctype_in_the_middle_breaks_the_feed_and_loads_nothing(path: Path, feed: Feed):
    secret = path.with_name("secret.txt")
    secret.write_text("TOP-SECRET")
    doctype = f"<!DOCTYPE x SYSTEM '{secret.as_uri()}'>"

    records, failure, ignored = await feed.of(feed.base(), doctype, feed.base(feed.item(number="2")))

    assert isinstance(failure, FeedBrokenError)
    assert failure.line == 6
    assert [plan.key.item_id for plan in plans(records)] == ["291"]
    assert "SECRET" not in f"{records} {failure} {ignored}"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_byte_changed_anywhere_costs_no_record_before_it(path: Path, data: st.DataObject):
    """Whatever a feed says, it gives records or a FeedError, and what stands before the change is read as ever."""
    original = DEMO[0].read_bytes()
    whole, _, _ = await read(DEMO[0])
    at = data.draw(st.integers(0, len(original) - 1), label="at")
    byte = data.draw(st.sampled_from([*b'<>&"/= \n\0x9-', 0x80, 0xFF]), label="byte")
    path.write_bytes(original[:at] + bytes([byte]) + original[at + 1 :])

    records, failure, _ = await read(path)

    finished = original[:at].count(b"</plan>")
    assert records[:finished] == whole[:finished]
    if isinstance(failure, FeedBrokenError):
        assert failure.line >= 1
    assert len(plans(records)) <= len(whole)
    assert len(rejections(records)) <= 3  # what is left of a base may break the frame, too


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), wrapped=st.booleans())
async def test_bytes_of_any_kind_are_an_error_or_records(path: Path, content: bytes, *, wrapped: bool):
    path.write_bytes(b"<planList><output>" + content + b"</output></planList>" if wrapped else content)

    records, failure, _ = await read(path)

    assert records == [] or failure is None or wrapped
    assert failure is not None or wrapped


@pytest.mark.parametrize("share", [0.3, 0.7])
@BOTH
async def test_a_feed_cut_in_the_middle_names_the_line_after_its_good_records(
    feed: Feed, dialect: Dialect, share: float
):
    bases = [feed.base(feed.item(number=str(number))) for number in range(1_000)]
    content = a_document("".join(bases), root=dialect.root)
    part = content[: int(len(content) * share)]

    records, failure, _ = await feed.of_bytes(part)

    assert isinstance(failure, FeedBrokenError)
    assert [plan.key.item_id for plan in plans(records)] == [str(number) for number in range(len(records))]
    assert len(records) == part.count(f"</{dialect.item}>".encode())
    assert failure.line == pytest.approx(part.count(b"\n") + 1, abs=1)


async def test_20_mb_of_small_records_grow_a_process_by_less_than_40_mib(path: Path):
    content = Feed(path, DIALECTS["planList"])
    zones = zone() + zone(zone_id="41", numbered="false") + zone(zone_id="42", price="0.00")
    bases = (
        content.base(content.item(zones, number=str(number)), base_plan_id=str(number)) for number in range(48_000)
    )
    path.write_bytes(a_document("".join(bases)))
    assert path.stat().st_size > 20 * MIB

    count, grown = await _read_in_a_child(path)

    assert count == 48_000
    assert grown < 40 * MIB


async def test_outputs_without_number_grow_no_process(path: Path):
    base = Feed(path, DIALECTS["planList"]).base()
    content = "<planList>" + ("<output/>" * 40 + f"<output>{base}</output>") * 10_000 + "</planList>"
    path.write_bytes(content.encode())

    count, grown = await _read_in_a_child(path)

    assert count == 1
    assert grown < 16 * MIB


async def _read_in_a_child(path: Path) -> tuple[int, int]:
    """Read a feed in a process of its own; give the number of records and by how many bytes its peak grew."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, path.as_uri(), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    count, grown = map(int, output.split())
    return count, grown


_CHILD = """
import asyncio, sys
from pathlib import Path
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider

def highest():
    # Not ru_maxrss: a child inherits that of its parent.
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024

async def main():
    snapshot = await PlanListXmlProvider(name="demo", url=sys.argv[1], timezone="UTC").fetch(None)
    before = highest()
    count = 0
    async for batch in snapshot.records():
        count += len(batch)
    await snapshot.aclose()
    print(count, highest() - before)

asyncio.run(main())
"""
