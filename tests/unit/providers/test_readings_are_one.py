"""However a feed is read - spelled as usual, by a parser, remembered - it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.demo import RESPONSES as DEMO
from app.adapters.outbound.providers.plan_list.feed_reader import FeedReader
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory
from app.application.ports.providers import FeedError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RememberedRecord


@dataclass(frozen=True)
class Told:
    """All that a reading says."""

    records: Sequence[FeedRecord]
    failure: str
    ignored: dict[str, int]
    unknown_records: int


def told(content: bytes, memory: Path | None = None) -> tuple[Told, int]:
    """Read a feed, and all that is remembered after all; tell how many records were remembered."""
    reader = FeedReader(
        BytesIO(content), "feed", provider="demo", timezone="Europe/Madrid", memory=ReadingMemory(memory, "way")
    )
    records: list[FeedRecord] = []
    failure = ""
    try:
        while batch := reader.next_batch():
            records += batch
    except FeedError as error:
        failure = f"{type(error).__name__} {error}"
    reader.close()
    remembered = sum(isinstance(record, RememberedRecord) for record in records)
    said = [_read(record) for record in records]
    return Told(said, failure, dict(reader.ignored.counts), reader.ignored.unknown_records), remembered


def _read(record: FeedRecord) -> FeedRecord:
    if not isinstance(record, RememberedRecord):
        return record
    read = record.read()
    assert (read.plan_id, read.digest) == (record.plan_id, record.digest)
    return read


def without_sources(said: Told) -> Told:
    records = [replace(record, source="") if isinstance(record, Rejection) else record for record in said.records]
    return replace(said, records=records)


def rarely(usual: str, *others: str) -> st.SearchStrategy[str]:
    """Mostly the first: one that is unusual in all of its parts says little about each."""
    return st.sampled_from([usual] * 12 * len(others) + list(others))


BLANKS = ("\n ", "", "\r\n\t", " text ", "&#10;", "<!-- <zone/> -->", "<![CDATA[x]]>", "]]>", "<hint/>", "&nbsp;", '"')
NUMBERS = ("7", "0", "007", "-1", "1.0", "1e3", " 5", "", "\u0663", "9" * 19, "5,6", "1_0")
PRICES = (
    "20.00",
    "0.00",
    "20",
    "20.5",
    "020.00",
    "1.234",
    ".50",
    "5.",
    "-1.00",
    "1e2",
    "20,00",
    "",
    "9" * 13 + ".00",
    "1.00.00",
    "1.5.00",
)
KINDS = ("true", "false", " true", "1", "", "null", "tru")
TEXTS = (
    "A",
    "",
    "&amp;",
    "&",
    "\\",
    "\\n",
    "a>b",
    "a<b",
    "Ñ",
    "\u00a0",
    "x\ty",
    "x\ny",
    "\x01",
    "\uffff",
    "'",
    "]",
    "x" * 256,
    "x" * 1_001,
)
TIMES = ("2021-06-30T21:00:00", "2021-09-31T20:00:00", "2021-06-30T24:00:00", "", "2021-06-30T20:00:00")
ORDERS = (
    '<zone zone_id="{0}" capacity="{1}" price="{2}" name="{3}" numbered="{4}"/>',
    '<zone zone_id="{0}" capacity="{1}" price="{2}" name="{3}" numbered="{4}" />',
    '<zone zone_id="{0}" capacity="{1}" price="{2}" name="{3}" numbered="{4}"></zone>',
    '<zone capacity="{1}" zone_id="{0}" price="{2}" name="{3}" numbered="{4}"/>',
    '<zone zone_id="{0}" capacity="{1}" price="{2}" name="{3}" numbered="{4}" colour="red"/>',
    "<zone zone_id='{0}' capacity='{1}' price='{2}' name='{3}' numbered='{4}'/>",
    '<zone zone_id="{0}" capacity="{1}" price="{2}" name="{3}"/>',
    '<zone  zone_id="{0}" capacity="{1}" price="{2}" name="{3}" numbered="{4}"/>',
)
IDS = ("1", "2", "", "&#50;", "x" * 256)
ZONES = st.builds(str.format, *(rarely(*texts) for texts in (ORDERS, TEXTS, NUMBERS, PRICES, TEXTS, KINDS)))
BASE_TAGS = (
    '<base_plan base_plan_id="{0}" sell_mode="online" title="T{1}">',
    '<base_plan title="T{1}" base_plan_id="{0}" sell_mode="offline" organizer_company_id="7">',
    '<base_plan base_plan_id="{0}" sell_mode="online" title="T{1}" organizer_company_id="">',
    '<base_plan base_plan_id="{0}" sell_mode="online" title="T{1}" stage="main">',
    '<base_plan base_plan_id="{0}" sell_mode="both" title="T{1}">',
    '<base_plan base_plan_id="{0}" sell_mode="online" title="T{1}" title="U">',
    '<base_plan xmlns:x="urn:x" x:y="1" base_plan_id="{0}" sell_mode="online" title="T{1}">',
    '<base_plan base_plan_id="{0}" sell_mode="online" title="T{1}"/>',
)
ITEM_TAGS = (
    '<plan plan_id="{0}" plan_start_date="{1}" plan_end_date="{2}" sold_out="false">',
    '<plan plan_id="{0}" plan_start_date="{1}" plan_end_date="{2}" sell_to="soon">',
    '<plan plan_id="{0}" plan_start_date="{1}" plan_end_date="{2}" sold_out="1" promoter="x">',
    '<plan plan_id="{0}" plan_start_date="{1}" plan_end_date="{2}"/>',
    '<plan plan_id="{0}"  plan_start_date="{1}" plan_end_date="{2}">',
)


@st.composite
def items(draw: st.DrawFn) -> str:
    tag = draw(rarely(*ITEM_TAGS)).format(draw(rarely(*IDS)), draw(rarely(*TIMES)), draw(rarely(*TIMES)))
    inside = "".join(draw(rarely(*BLANKS)) + zone for zone in draw(st.lists(ZONES, max_size=3))) + draw(rarely(*BLANKS))
    return tag + inside + draw(rarely("</plan>", "</plan >", "", "</zone>"))


@st.composite
def bases(draw: st.DrawFn) -> tuple[str, str]:
    tag = draw(rarely(*BASE_TAGS)).format(draw(rarely(*IDS)), draw(rarely(*TEXTS)))
    inside = "".join(draw(rarely(*BLANKS)) + item for item in draw(st.lists(items(), max_size=2))) + draw(
        rarely(*BLANKS)
    )
    return tag, inside + draw(rarely("</base_plan>", "</base_plan >", ""))


FRAMES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<planList version="1.0"><output>\n{}</output></planList>\n',
    "<planList xmlns:x='urn:x' new='1'><output>{}</output><output/><more/></planList>",
    "\ufeff\n<planList><!-- <base_plan> --><output>{}<banner><base_plan/></banner></output></planList><!-- -->",
    "<planList><output>{}</output>",
)
DOCUMENTS = st.lists(st.tuples(rarely("", "\n", "<banner/>", "<!-- -->", "&amp;", "&x;"), bases()), max_size=4)


def document(frame: str, parts: list[tuple[str, tuple[str, str]]], inside: str = "") -> bytes:
    body = "".join(before + tag + inside + rest for before, (tag, rest) in parts)
    return frame.replace("{}", body).encode()


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "readings"


FIXTURE = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


PARTS = {
    "base": BASE_TAGS,
    "base_id": IDS,
    "title": TEXTS,
    "item": ITEM_TAGS,
    "item_id": IDS,
    "starts": TIMES,
    "ends": TIMES,
    "before": BLANKS,
    "zone": ORDERS,
    "zone_id": TEXTS,
    "capacity": NUMBERS,
    "price": PRICES,
    "name": TEXTS,
    "numbered": KINDS,
    "after": BLANKS,
    "end": ("</plan>", "</plan >", "", "</zone>"),
    "behind": BLANKS,
}
OF_A_ZONE = ("zone_id", "capacity", "price", "name", "numbered")


@pytest.mark.parametrize(("part", "text"), [(part, text) for part, texts in PARTS.items() for text in texts])
def test_one_thing_that_is_unusual_is_read_as_a_parser_reads_it(part: str, text: str):
    usual = {name: texts[0] for name, texts in PARTS.items()}
    other = {"base": usual["base"].format(9, 9), "rest": "<plan/></base_plan>"}
    for place in range(3):
        parts = usual | {part: text}
        zones = [
            said["before"] + said["zone"].format(*(said[name] for name in OF_A_ZONE))
            for said in (parts if number == place else usual for number in range(3))
        ]
        tag = parts["base"].format(parts["base_id"], parts["title"])
        item = parts["item"].format(parts["item_id"], parts["starts"], parts["ends"])
        rest = "\n" + item + "".join(zones) + parts["after"] + parts["end"] + parts["behind"] + "</base_plan>"

        whole, parsed = (
            told(document(FRAMES[0], [("", (tag, inside + rest)), ("\n", (other["base"], other["rest"]))]))[0]
            for inside in ("", "" if tag.endswith("/>") else "<!---->")
        )

        assert without_sources(whole) == without_sources(parsed)


@pytest.mark.parametrize("inside", ["", "\n", " text ", "<plan/>", "<hint/>"])
def test_a_base_without_items_is_rejected_however_often_it_comes(memory: Path, inside: str):
    base = ("", ('<base_plan base_plan_id="1" sell_mode="online" title="T">', f"{inside}</base_plan>"))
    for _ in range(2):
        said, remembered = told(document(FRAMES[0], [base]), memory)

        assert [record.base_id for record in said.records if isinstance(record, Rejection)] == ["1"]
        assert remembered == 0


@FIXTURE
@given(frame=rarely(*FRAMES), parts=DOCUMENTS)
def test_the_usual_spelling_says_what_a_parser_says(frame: str, parts: list[tuple[str, tuple[str, str]]]):
    """A comment behind a base's tag changes nothing of what it says, but nobody spells so as usual."""
    whole, _ = told(document(frame, parts))
    parts = [(before, (tag, rest if tag.endswith("/>") else f"<!---->{rest}")) for before, (tag, rest) in parts]
    parsed, _ = told(document(frame, parts))

    assert without_sources(whole) == without_sources(parsed)


@FIXTURE
@given(frame=rarely(*FRAMES), parts=DOCUMENTS, data=st.data())
def test_what_is_remembered_says_what_it_said_wherever_the_document_is_cut(
    memory: Path, frame: str, parts: list[tuple[str, tuple[str, str]]], data: st.DataObject
):
    memory.unlink(missing_ok=True)
    content = document(frame, parts)
    whole, _ = told(content, memory)
    again, _ = told(content, memory)
    at = data.draw(st.integers(0, len(content)), label="at")
    byte = data.draw(st.sampled_from([b"", b"&", b"<", b'"', b"\n", b"\xff", b">"]), label="byte")

    assert again == whole
    assert told(content[:at], memory)[0] == told(content[:at])[0]
    assert told(content[:at] + byte + content[at + 1 :], memory)[0] == told(content[:at] + byte + content[at + 1 :])[0]


@pytest.mark.parametrize("response", DEMO)
def test_what_was_read_well_is_remembered_and_nothing_else(memory: Path, response: Path):
    first, remembered_first = told(response.read_bytes(), memory)
    again, remembered = told(response.read_bytes(), memory)

    assert remembered_first == 0
    assert remembered == sum(isinstance(record, PlanRecord) for record in first.records)
    assert again == first


def test_a_base_is_remembered_with_what_is_ignored_in_it(memory: Path):
    base = '<base_plan base_plan_id="1" sell_mode="online" title="T"><hint/><plan plan_id="1"{}/></base_plan>'
    content = document(
        "<planList><output>{}</output></planList>",
        [("", (base.format(' plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T21:00:00"'), ""))],
    )
    first, _ = told(content, memory)
    again, remembered = told(content, memory)

    assert remembered == 1
    assert again == first
    assert (again.ignored, again.unknown_records) == ({"hint": 1}, 1)


def test_what_repeats_or_contradicts_what_is_remembered_is_told_as_ever(memory: Path):
    def base(title: str, item: str = "1") -> tuple[str, tuple[str, str]]:
        times = 'plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T21:00:00"'
        tag = f'<base_plan base_plan_id="1" sell_mode="online" title="{title}">\n<plan plan_id="{item}" {times}/>'
        return "\n", (f"{tag}</base_plan>", "")

    frame = "<planList><output>{}</output></planList>"
    told(document(frame, [base("T"), base("U", "2")]), memory)

    content = document(frame, [base("V"), base("T"), base("T"), base("U", "2"), base("U", "2"), base("T", "2")])
    said, remembered = told(content, memory)

    assert said == told(content)[0]
    assert remembered == 1
    assert [record.line for record in said.records if isinstance(record, Rejection)] == [5, 7, 13]


def test_a_base_of_another_surrounding_is_another(memory: Path):
    base = ("", ('<base_plan base_plan_id="1" sell_mode="online" title="T"><x:hint/>', "</base_plan>"))
    told(document("<planList xmlns:x='urn:x'><output>{}</output></planList>", [base]), memory)

    for frame in (
        "<planList xmlns:x='urn:y'><output>{}</output></planList>",
        "<planList><output>{}</output></planList>",
    ):
        assert told(document(frame, [base]), memory)[0] == told(document(frame, [base]))[0]
