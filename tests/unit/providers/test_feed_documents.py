"""Documents that are no feeds, break, or want to do harm; and how much memory a large one takes."""

# ruff: noqa: ASYNC240 - a test may wait for its file

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import FeedBrokenError, FeedError, FeedRefusedError, FeedSnapshot
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason
from tests.support.feed_server import MIB
from tests.support.fetched import fetched

EXPECTED = "expected a document with root eventList or planList"
BASE = '<base_plan base_plan_id="{0}" sell_mode="online" title="T"><plan plan_id="{0}" {1}>{2}</plan></base_plan>\n'
TIMES = 'plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T22:00:00"'
ZONE = '<zone zone_id="1" capacity="5" price="20.00" name="A" numbered="true"/>\n'


def bases(count: int, zones: int = 1) -> str:
    return "".join(BASE.format(number, TIMES, ZONE * zones) for number in range(count))


def document(body: str, head: str = "") -> bytes:
    return f"{head}<planList><output>\n{body}</output></planList>".encode()


async def snapshot_of(path: Path, content: bytes | None = None) -> FeedSnapshot:
    if content is not None:
        path.write_bytes(content)
    return await fetched(PlanListXmlProvider(name="demo", url=path.as_uri(), timezone="UTC"))


async def read(path: Path, content: bytes) -> tuple[list[FeedRecord], FeedError | None]:
    """Read all that can be read, and how it ended."""
    snapshot = await snapshot_of(path, content)
    records: list[FeedRecord] = []
    try:
        async for batch in snapshot.records():
            records += batch
    except FeedError as error:
        failure = error
    else:
        return records, None
    finally:
        await snapshot.aclose()
    assert str(path) in str(failure)
    return records, failure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.xml"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "found an empty document"),
        (b"   \n  ", "found an empty document"),
        (b"   <!-- -->  ", "found no element"),
        (b'{"plans": []}', "found what is not well-formed XML"),
        (b"PK\x03\x04\x00\x00", "found what is not well-formed XML"),
        (b"<html><body>Down for maintenance</body></html>", "found html"),
        (b"<!DOCTYPE html><html><body><br>Down</body></html>", "found html"),
        (b"<!doctype html>\n<title>Down", "found html"),
        (b"\n\n<HTML><body bgcolor=red>", "found HTML"),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', "found html"),
        (b"<rss version='2.0'/>", "found rss"),
        (b'<planList xmlns="urn:x"><output/></planList>', "found planList of the namespace urn:x"),
        (b'<x:planList xmlns:x="urn:x"/>', "found planList of the namespace urn:x"),
        (b"<planlist/>", "found planlist"),
        ("<html/>".encode("utf-16"), "found html"),
        (b'<?xml version="1.0" encoding="klingon"?><planList/>', "unknown encoding"),
        (b'<?xml version="1.0" encoding="unicode_escape"?><planList/>', "unknown encoding"),
        (b'<?xml version="1.0" encoding="hex"?><planList/>', "unknown encoding"),
        (b"<!--" + b"x" * 2 * MIB, "found no element"),
    ],
)
async def test_what_is_no_feed_is_refused_and_named(path: Path, content: bytes, found: str):
    records, error = await read(path, content)

    assert records == []
    assert isinstance(error, FeedRefusedError)
    assert EXPECTED in str(error)
    assert found in str(error)


async def test_a_feed_that_sells_nothing_has_no_records(path: Path):
    for content in (b"<planList/>", b"<eventList><output/></eventList>", document("<banner/>")):
        assert await read(path, content) == ([], None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
async def test_a_feed_is_read_in_the_encoding_that_it_declares(path: Path, encoding: str):
    declared = encoding.removesuffix("-sig")
    text = document(bases(1).replace('"T"', '"Ñandú"'), f'<?xml version="1.0" encoding="{declared}"?>\n').decode()

    [record], error = await read(path, text.encode(encoding))

    assert error is None
    assert isinstance(record, PlanRecord)
    assert record.plan.title == "Ñandú"


@pytest.mark.parametrize(
    "content",
    [
        b" \t\r\n" + document(bases(1)),
        b"\n" * 10_000 + document(bases(1)),
        b"\n\xef\xbb\xbf\n" + document(bases(1), '<?xml version="1.0"?>'),
        ("\ufeff\n\n" + document(bases(1)).decode()).encode("utf-16-le"),
        ("\n\n" + document(bases(1)).decode()).encode("utf-16-le"),
        document(bases(1)).decode().encode("utf-16-be"),
        document(bases(1), '<?xml version="1.0" encoding="utf-16"?>'),
        document(bases(1), '<?xml version="1.0" encoding="UTF-32LE"?>'),
        b"\xef\xbb\xbf" + document(bases(1), '<?xml version="1.0" encoding="iso-8859-1"?>'),
        document(bases(1), '<?xml version="1.0" encoding="shift_jis"?>'),
    ],
)
async def test_a_feed_is_read_whatever_stands_before_it_and_whatever_it_calls_itself(path: Path, content: bytes):
    [record], error = await read(path, content)

    assert error is None
    assert isinstance(record, PlanRecord)


@pytest.mark.parametrize("before", ["", "\n\n", "\n" * 5_000])
async def test_lines_are_those_of_the_file_whatever_stands_before_the_feed(path: Path, before: str):
    content = before + document(bases(2).replace("21:00:00", "25:00:00", 1)).decode()

    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        [rejection, _], _ = await read(path, content.encode(encoding))

        assert isinstance(rejection, Rejection)
        assert rejection.line == before.count("\n") + 2


@pytest.mark.parametrize(
    "broken",
    [
        (b'title="T"', b'title="Rock & Roll"'),
        (b'title="T"', b'title="Rock&nbsp;Roll"'),
        (b'title="T"', b'title="Rock\x01Roll"'),
        (b'title="T"', b'title="Rock\xffRoll"'),
        (b'title="T"', b'title="Rock\xed\xa0\x80Roll"'),
        (b'title="T"', b'title="Rock\xef\xbf\xbfRoll"'),
        (b'title="T"', b'title="Rock < Roll"'),
        (b'title="T"', b"title='T' title='T'"),
        (b"</plan>", b"&nbsp;</plan>"),
        (b"</plan>", b"</plan>]]>"),
        (b"</plan>", b"<x:y/></plan>"),
        (b"</plan>", b""),
        (b"</base_plan>", b""),
        (b"</base_plan>", b"</base_plam>"),
        (b"</base_plan>", b"<!-- </base_plan>"),
        (b"</base_plan>", b"<![CDATA[ </base_plan>"),
        (b"</plan>", b"<!DOCTYPE x>"),
    ],
)
async def test_a_broken_base_costs_that_base_and_says_whose_it_is(path: Path, broken: tuple[bytes, bytes]):
    one, two, three = (f"{BASE.format(number, TIMES, ZONE)}".encode() for number in (1, 2, 3))
    content = document("X").replace(b"X", one + two.replace(*broken) + three)

    records, error = await read(path, content)

    assert error is None
    [rejection] = [record for record in records if isinstance(record, Rejection) and record.part is None]
    found = [record.plan.key.base_id for record in records if isinstance(record, PlanRecord)]
    assert [base for base in found if base != "2"] == ["1", "3"]
    assert rejection.reason is RejectionReason.MALFORMED
    assert rejection.message.startswith("not well-formed XML: ")
    assert rejection.line == 4
    assert rejection.base_id == "2"
    assert rejection.source.startswith('<base_plan base_plan_id="2"')


@pytest.mark.parametrize(
    "tag",
    [
        '<base_plan base_plan_id="2" sell_mode="online" title="Rock "n" Roll">',
        '<base_plan title="Rock base_plan_id="2" sell_mode="online">',
        '<base_plan base_plan_id="2 title="Rock" sell_mode="online">',
        '<base_plan base_plan_id="2" title="Rock & Roll" base_plan_id="3">',
        '<base_plan base_plan_id="&2;" title="Rock">',
        '<base_plan base_plan_id="" title="Rock & Roll">',
        "<base_plan title='&'>",
    ],
)
async def test_a_broken_base_whose_id_may_be_another_is_nobodys(path: Path, tag: str):
    two = BASE.format(2, TIMES, ZONE)
    two = tag + two[two.index("<plan ") :]

    records, error = await read(path, document(bases(1) + two + bases(3)))

    assert error is None
    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert (rejection.reason, rejection.base_id, rejection.key) == (RejectionReason.MALFORMED, None, None)
    assert rejection.line == 4


async def test_the_items_before_the_break_of_a_base_are_read(path: Path):
    plan = f'<plan plan_id="{{}}" {TIMES}/>'
    items = plan.format(1) + plan.format(2) + "&nbsp;" + plan.format(3)
    broken = f'<base_plan base_plan_id="1" sell_mode="online" title="T">{items}</base_plan>'

    records, error = await read(path, document(broken))

    assert error is None
    assert [record.plan.key.item_id for record in records if isinstance(record, PlanRecord)] == ["1", "2"]
    assert [record.base_id for record in records if isinstance(record, Rejection)] == ["1"]


@pytest.mark.parametrize("broken", ["&nbsp;", "<a b=1/>", "</plan>", "<a></b>", "\x01", "]]>", "<1/>"])
async def test_what_is_broken_between_bases_costs_none_and_leaves_open_whose_it_was(path: Path, broken: str):
    one, two, three = (BASE.format(number, TIMES, ZONE) for number in (1, 2, 3))

    records, error = await read(path, document(one + broken + two + three))

    assert error is None
    assert [record.plan.key.base_id for record in records if isinstance(record, PlanRecord)] == ["1", "2", "3"]
    [rejection] = [record for record in records if isinstance(record, Rejection)]
    assert (rejection.reason, rejection.base_id, rejection.key) == (RejectionReason.MALFORMED, None, None)
    assert rejection.line == 4


async def test_a_base_in_a_comment_behind_a_broken_one_is_none(path: Path):
    broken = BASE.format(1, TIMES, "&nbsp;" + f"<!-- {BASE.format(2, TIMES, ZONE)} -->")

    records, error = await read(path, document(broken + BASE.format(3, TIMES, ZONE)))

    assert error is None
    assert [record.plan.key.base_id for record in records if isinstance(record, PlanRecord)] == ["3"]


async def test_a_long_base_that_is_broken_costs_no_other_one(path: Path):
    plan = f'<plan plan_id="{{}}" {TIMES}>{ZONE * 100}</plan>'
    items = "".join(plan.format(number) for number in range(600)) + "&nbsp;" + plan.format(600)
    broken = f'<base_plan base_plan_id="1" sell_mode="online" title="T">{items}</base_plan>'

    records, error = await read(path, document(broken + BASE.format(2, TIMES, ZONE)))

    assert error is None
    assert [record.plan.key.base_id for record in records if isinstance(record, PlanRecord)] == ["1"] * 600 + ["2"]
    assert len(records) == 602


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("<base_plan", 2_002),
        ("</plan>", 2_002),
        ("&nbsp;", 2_002),
        ('<base_plan title="&eacute;">', 2_002),
        ("<a b=1/>", 2_002),
        ('<a b="1" b="2"/>', 2_002),
        ("<p:a/>", 2_002),
        ("\x00", 2_002),
    ],
)
async def test_a_document_that_breaks_hands_out_all_that_was_read_before(path: Path, broken: str, line: int):
    content = document(bases(1_000) + broken + ZONE * 40 + bases(0))

    records, error = await read(path, content)

    assert isinstance(error, FeedBrokenError), error
    assert error.line == line
    assert len(records) == 1_000


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
async def test_a_document_cut_anywhere_gives_whole_records_only(path: Path, share: float):
    whole, _ = await read(path, document(bases(300, zones=3)))
    content = document(bases(300, zones=3))

    records, error = await read(path, content[: int(len(content) * share)])

    assert isinstance(error, FeedBrokenError)
    assert error.line > 1
    assert records == whole[: len(records)]
    assert len(records) in (int(300 * share), int(300 * share) - 1, 300)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"<planList>{bases(1)}</planList>", "line 1: expected base_plan inside output"),
        (f"<planList><output><plan plan_id='1' {TIMES}/></output></planList>", "expected plan inside base_plan"),
        (f"<planList>\n<plan plan_id='1' {TIMES}/></planList>", "line 2: expected plan inside base_plan"),
    ],
)
async def test_what_stands_a_level_too_high_is_refused_and_not_taken_for_gone(path: Path, content: str, message: str):
    records, error = await read(path, content.encode())

    assert records == []
    assert isinstance(error, FeedRefusedError)
    assert message in str(error)


async def test_what_follows_the_end_breaks_the_feed(path: Path):
    records, error = await read(path, document(bases(2)) + b"<planList/>")

    assert isinstance(error, FeedBrokenError)
    assert len(records) == 2


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE planList>",
        '<!DOCTYPE planList SYSTEM "http://127.0.0.1:9/feed.dtd">',
        "<!DOCTYPE planList []>",
        "<!DOCTYPE planList [<!-- defines nothing -->]>",
        '<!DOCTYPE planList [<!ENTITY x "harmless">]>',
        "<?xml version='1.0'?><!-- a comment --><!DOCTYPE planList>",
    ],
)
async def test_a_doctype_is_refused_before_anything_is_read(path: Path, doctype: str):
    content = document(bases(1).replace('"T"', '"&x;"') if "ENTITY x" in doctype else bases(1), doctype)

    records, error = await read(path, content)

    assert records == []
    assert isinstance(error, FeedRefusedError)
    assert "expected a document without a DOCTYPE" in str(error)


async def test_a_doctype_in_a_comment_is_none(path: Path):
    records, error = await read(path, document(bases(1), "<!-- <!DOCTYPE planList> -->"))

    assert (len(records), error) == (1, None)


async def test_what_is_nested_too_deep_is_refused(path: Path):
    records, error = await read(path, document(bases(5) + "<a>" * 1_000))

    assert isinstance(error, FeedRefusedError)
    assert "depth" in str(error)
    assert len(records) == 5


@pytest.mark.parametrize(
    "endless",
    [
        "<banner/>\n" * 1_000_000,
        f'<base_plan base_plan_id="1" sell_mode="online" title="T"><plan plan_id="1" {TIMES}>' + ZONE * 200_000,
        f'<base_plan title="{"x" * 10_000_000}"/>',
        "x" * 10_000_000,
    ],
    ids=["unknown elements", "zones", "an attribute", "text"],
)
async def test_a_document_that_goes_on_without_an_item_is_refused(path: Path, endless: str):
    records, error = await read(path, document(bases(5) + endless))

    assert isinstance(error, FeedRefusedError)
    assert "at least every 8 MiB" in str(error)
    assert len(records) == 5


async def test_a_large_feed_is_read_in_constant_memory(path: Path):
    with path.open("wb") as file:
        file.writelines(_large_feed(1_300))
    assert path.stat().st_size > 20 * MIB
    warm = await snapshot_of(path)
    await anext(warm.records())
    await warm.aclose()

    gc.collect()
    before = highest = _resident()
    snapshot = await snapshot_of(path)
    count = 0
    async for batch in snapshot.records():
        count += len(batch)
        highest = max(highest, _resident())
    await snapshot.aclose()

    assert count == 1_300
    assert highest - before < 16 * MIB


async def test_many_feeds_are_read_at_once_while_garbage_is_collected(path: Path):
    """A parser that moved between threads would end this process."""
    path.write_bytes(document(bases(400, zones=30)))

    async def read_again(times: int) -> int:
        count = 0
        for _ in range(times):
            snapshot = await snapshot_of(path)
            async for batch in snapshot.records():
                count += len(batch)
                gc.collect(0)
            await snapshot.aclose()
        return count

    assert await asyncio.gather(*(read_again(5) for _ in range(4))) == [2_000] * 4


async def test_a_snapshot_that_is_closed_while_it_is_read_leaves_nothing_behind(path: Path):
    snapshot = await snapshot_of(path, document(bases(2_000, zones=20)))

    async def consume() -> None:
        async for _ in snapshot.records():
            await asyncio.sleep(0)

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await snapshot.aclose()
    await snapshot.aclose()


def _large_feed(items: int) -> Iterator[bytes]:
    yield b"<planList><output>\n"
    for number in range(items):
        zones = "".join(
            f'<zone zone_id="{zone}" capacity="{(zone * number) % 500}" price="{zone * number % 20_000 / 100:.2f}" '
            f'name="Zone {zone}" numbered="true"/>\n'
            for zone in range(220)
        )
        yield BASE.format(number, TIMES, zones).encode()
    yield b"</output></planList>"


def _resident() -> int:
    """The memory of this process now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
