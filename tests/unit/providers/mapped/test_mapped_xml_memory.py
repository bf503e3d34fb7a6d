"""Records of XML that are remembered say what they said, and what is new or unusual is read."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.mapped.record_context import MAX_KEPT
from app.domain.feeds import PlanRecord, Rejection, RejectionReason, RememberedRecord
from tests.support.mapped_feeds import Read, a_mapping, read

COLUMN = re.compile(", column [0-9]+")
FIELDS: dict[str, Any] = {
    "base_id": "../@id",
    "category": "ancestor::day/@kind",
    "organizer_id": "who",
    "zones": {"each": "zone", "fields": {"zone_id": "@id", "price": ".", "name": "../../@id"}},
}
WAYS = {
    "by names": a_mapping("xml", FIELDS),
    "by where": a_mapping("xml", FIELDS, where={"path": "../@id", "not": "v2"}),
    "beside": a_mapping("xml", FIELDS | {"place": "../name", "category": "concat(../../@kind, @item_id)"}),
    "before": a_mapping("xml", FIELDS | {"place": "preceding-sibling::*[1]"}),
    "anything": a_mapping("xml", FIELDS | {"place": "../@*[2]"}),
    "unknown": a_mapping("xml", FIELDS | {"place": "local-name(..)"}),
    "from the root": a_mapping("xml", FIELDS, records="/f/day[@kind]/venue/event"),
    "of a namespace": a_mapping("xml", FIELDS, records="//x:event", namespaces={"x": "urn:x"}),
}

TAGS = (
    '<event item_id="{}" title="{}" starts="2026-07-01T20:00">',
    '<event\n item_id="{}" title=\'{} > 5\' starts="2026-07-01T20:00" >',
    '<x:event item_id="{}" title="{}" starts="2026-07-01T20:00">',
    '<event item_id="{}" title="{}" starts="never">',
    '<event item_id="{}" title="{}" starts="2026-07-01T20:00"/><event item_id="7">',
    '<event item_id="{} title="{}">',
)
TEXTS = ("One", "Two", "Ñandú", "R&amp;B", "R&B", "&nbsp;", "&#65;", "a\nb", "a\rb", "<")
INSIDE = (
    "<who>w</who>",
    "",
    "\n  <zone id='1'>5</zone>\n<zone id='2'>6.50</zone>\n",
    "<zone id='1'>x</zone>",
    "<!-- </event> -->",
    "<![CDATA[</event>]]>",
    "<?p </event>?>",
    "<event item_id='9'/>",
    "<x:who>w</x:who>",
    "<q:who>w</q:who>",
    "<who>ü",
    "&",
    "\x01",
)
ENDS = ("</event>", "</event >", "</x:event>", "</event>\n", "", "</venue>")
BETWEEN = (
    "",
    "\n",
    "<name>Hall</name>",
    "<note/>text",
    "<!-- <event item_id='5'></event> -->",
    "<![CDATA[<event>]]>",
    "</venue><venue id='v2' b='2'>",
    "</venue></day><day><venue id='v1'>",
    "</venue><venue xmlns='urn:x' id='v1'>",
    "</venue><venue xmlns:x='urn:y' id='v1'>",
    "&",
    "<note>&#1;</note>",
)
FRAMES = (
    '<f xmlns:x="urn:x"><day kind="jazz"><venue id="v1" b="1">{}</venue></day></f>',
    '<?xml version="1.0" encoding="UTF-8"?>\n<f xmlns:x="urn:x"><day kind=""><venue b="1" id="v1">{}</venue></day></f>',
    '\n<f xmlns="urn:x" xmlns:x="urn:x"><day kind="rock"><venue id="v1">{}</venue></day></f>',
    '<!DOCTYPE f SYSTEM "f.dtd"><f xmlns:x="urn:x"><day kind="jazz"><venue id="v1" b="1">{}</venue></day></f>',
    '<?xml version="1.0" encoding="ISO-8859-1"?><f xmlns:x="urn:x"><day kind="a"><venue id="v1">{}</venue></day></f>',
)


def rarely(*texts: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(texts[0]), st.just(texts[0]), st.sampled_from(texts))


@st.composite
def events(draw: st.DrawFn) -> str:
    tag = draw(rarely(*TAGS)).format(draw(st.sampled_from("1234")), draw(rarely(*TEXTS)))
    inside = "".join(draw(st.lists(rarely(*INSIDE), max_size=2)))
    return draw(rarely(*BETWEEN)) + tag + inside + draw(rarely(*ENDS))


DOCUMENTS = st.lists(events(), max_size=5)


def document(frame: str, parts: list[str]) -> bytes:
    return frame.replace("{}", "".join(parts)).encode()


def told(found: Read) -> Any:
    """All that it says, remembered or not.

    Without what is shown of a broken record, which ends with a piece, and the column, which begins with one behind it.
    """
    records = [
        record.read()
        if isinstance(record, RememberedRecord)
        else replace(record, source="", message=COLUMN.sub("", record.message))
        if isinstance(record, Rejection)
        else record
        for record in found.records
    ]
    digests = [record.digest for record in found.records if isinstance(record, PlanRecord | RememberedRecord)]
    return records, digests, COLUMN.sub("", str(found.failure)), found.passed_over, found.unknown, found.ignored


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "readings"


def check(content: bytes, options: dict[str, Any], memory: Path, cut: int) -> None:
    """See that what is known changes nothing; where nothing is broken, neither does it how a document is cut.

    What a broken record takes along follows from where pieces end, with and without a memory.
    """
    nothing = memory.with_name("nothing")
    nothing.unlink(missing_ok=True)
    whole = read(content, options)
    anew = told(read(content, options, memory=nothing, at_a_time=cut))

    assert told(read(content, options, memory=memory, at_a_time=cut)) == anew
    if not whole.failure and all(one.reason is not RejectionReason.MALFORMED for one in whole.rejections):
        assert told(whole) == anew


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.sampled_from(sorted(WAYS)), frame=rarely(*FRAMES), parts=DOCUMENTS, data=st.data())
def test_what_is_remembered_says_what_it_said_wherever_the_document_is_cut(
    memory: Path, way: str, frame: str, parts: list[str], data: st.DataObject
):
    memory.unlink(missing_ok=True)
    content, cuts = document(frame, parts), st.integers(1, 300)
    for _ in range(2):
        check(content, WAYS[way], memory, data.draw(cuts))

    if parts and data.draw(st.sampled_from([True, False])):
        parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(events())
        content = document(data.draw(rarely(frame, *FRAMES)), parts)
    if data.draw(st.sampled_from([True, False])):
        content = content[: data.draw(st.integers(0, len(content)))]

    check(content, WAYS[way], memory, data.draw(cuts))


EVENT = '<event item_id="{0}" title="Concert {0}" starts="2026-07-01T20:00">{1}</event>'
TWO = (
    f'<f at="noon"><venue id="v"><name>Hall</name>\n{EVENT.format(1, "<who>w</who>")}{EVENT.format(2, "")}</venue></f>'
)


def remembered(before: str, after: str, way: str, memory: Path) -> list[str]:
    """Ids of the items that are not read anew."""
    read(before, WAYS[way], memory=memory)
    found = [one for one in read(after, WAYS[way], memory=memory).records if isinstance(one, RememberedRecord)]
    return [one.read().plan.key.item_id for one in found]


CHANGES: dict[str, tuple[Callable[[str], str], str, list[str]]] = {
    "nothing": (lambda text: text, "by names", ["1", "2"]),
    "a record": (lambda text: text.replace("Concert 2", "Concert II"), "by names", ["1"]),
    "what is in one": (lambda text: text.replace("<who>w", "<who>x"), "by names", ["2"]),
    "what nobody asks for": (
        lambda text: text.replace("noon", "night").replace("Hall", "Club"),
        "by names",
        ["1", "2"],
    ),
    "an attribute around them": (lambda text: text.replace('"v"', '"w"'), "by names", []),
    "a namespace around them": (lambda text: text.replace("<f", '<f xmlns:y="urn:y"'), "by names", []),
    "what stands beside them": (lambda text: text.replace("Hall", "Club"), "beside", []),
    "what no path looks at": (lambda text: text.replace("noon", "night"), "beside", ["1", "2"]),
    "nothing that is known": (lambda text: text, "unknown", []),
    "the encoding": (lambda text: f"<?xml version='1.0' encoding='ascii'?>{text}", "by names", []),
    "the version": (lambda text: f"<?xml version='1.1'?>{text}", "by names", []),
    "the type": (lambda text: f"<!DOCTYPE f SYSTEM 'f.dtd'>{text}", "by names", []),
    "what is declared": (lambda text: f"<?xml version='1.0' encoding='utf-8'?>{text}", "by names", ["1", "2"]),
    "a comment in one": (lambda text: text.replace("<who>", "<!-- --><who>"), "by names", ["2"]),
    "too much beside them": (lambda text: text.replace("<name>", "<name/>" * MAX_KEPT + "<name>"), "beside", []),
}


@pytest.mark.parametrize("changed", CHANGES)
def test_a_record_is_read_anew_when_it_or_what_its_paths_see_is_another(memory: Path, changed: str):
    change, way, expected = CHANGES[changed]

    assert remembered(TWO, change(TWO), way, memory) == expected


def test_what_had_a_fault_is_read_each_time(memory: Path):
    content = TWO.replace("<who>w</who>", "<zone id='1'>x</zone>")

    assert remembered(content, content, "by names", memory) == ["2"]


def test_a_record_without_anything_around_it_is_read_each_time(memory: Path):
    content = EVENT.format(1, "")
    options = a_mapping("xml", {"base_id": "@item_id"}, records="/event")
    read(content, options, memory=memory)

    assert read(content, options, memory=memory).titles == ["Concert 1"]


def test_a_record_without_an_end_tag_is_remembered_too(memory: Path):
    content = TWO.replace("<who>w</who>", "").replace("></event>", "/>")

    assert remembered(content, content, "by names", memory) == ["1", "2"]


def test_records_that_stand_around_broken_ones_are_remembered(memory: Path):
    broken = TWO.replace("<who>w", "<who>&")

    assert remembered(broken, broken, "by names", memory) == ["2"]


def test_lines_are_those_of_the_document_behind_what_is_remembered(memory: Path):
    content = "<f><venue id='v'>" + "".join(EVENT.format(number, "\n\n") for number in range(3)) + "</venue></f>"
    read(content, WAYS["by names"], memory=memory)
    content = content.replace("Concert 2", "<")

    [first, *_] = read(content, WAYS["by names"], memory=memory).rejections
    assert first == read(content, WAYS["by names"]).rejections[0]
    assert first.line == 5


def test_behind_a_prefix_that_nobody_declared_all_is_read(memory: Path):
    """libxml2 goes on there, and refuses the document at its end."""
    other = TWO.replace("<name>", "<q:name/><name>")

    assert remembered(TWO, other, "by names", memory) == []
    assert read(other, WAYS["by names"], memory=memory).titles == ["Concert 1", "Concert 2"]


def test_a_prefix_that_nobody_declared_is_refused_where_paths_look_at_it():
    failure = read(TWO.replace("<venue", "<q:venue").replace("</venue", "</q:venue"), WAYS["beside"]).failure

    assert "expected declared prefixes" in str(failure)
