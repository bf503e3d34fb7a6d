"""The index file: what stands on it finds what a scan over the logs finds, whatever happened to it."""

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.machine.index_place import PLACE
from app.adapters.outbound.search_index.image_format import CHECKSUM, FORMAT, MAGIC, PREAMBLE
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.mapped_index_file import MappedIndexFile
from app.adapters.outbound.search_index.mapped_rows import MANY
from app.adapters.outbound.search_index.plan_calendar import IndexCalendar
from app.adapters.outbound.search_index.plan_list import IndexPlanList
from app.adapters.outbound.search_index.rendering import Rendering
from app.application.ports.catalog import LogPosition
from app.application.ports.index_file import IndexFileError, SpoiltIndexError
from app.domain.plan_listing import PlanQuestion
from app.domain.plans import PlanDetails, PlanId, SearchablePlan, searchable
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import NOW, a_plan
from tests.support.fixed_clock import FixedClock
from tests.support.search_index import tag_of

BEGIN = datetime(2021, 6, 30, tzinfo=UTC)
PROVIDERS = ("east", "west")


def a_state(number: int, version: int = 1, *, provider: str = "east", hour: int = 0, hours: int = 1) -> SearchablePlan:
    start = BEGIN + timedelta(hours=hour)
    wall, until = start.isoformat()[:16], (start + timedelta(hours=hours)).isoformat()[:16]
    details = PlanDetails(url=f"https://e.example/{number}/{version}") if version % 2 else None
    return searchable(a_plan(number, provider=provider, title=f"v{version}", starts=wall, ends=until, details=details))


class Logs:
    """The change logs of two providers: what was said of each plan, in order."""

    def __init__(self) -> None:
        self.entries: dict[str, list[SearchablePlan]] = {name: [] for name in PROVIDERS}
        self.epochs = dict.fromkeys(PROVIDERS, 1)
        self.lost: dict[str, int] = dict.fromkeys(PROVIDERS, 0)
        """How many entries were in logs that are gone."""

    def add(self, plan: SearchablePlan) -> None:
        self.entries[plan.provider].append(plan)

    def lose(self, provider: str) -> None:
        """Begin the log anew; what it said stays true."""
        self.epochs[provider] += 1
        self.lost[provider] = len(self.entries[provider])

    def head(self, provider: str) -> LogPosition:
        return LogPosition(self.epochs[provider], len(self.entries[provider]) - self.lost[provider])

    def states(self, provider: str, until: int) -> dict[PlanId, SearchablePlan]:
        return {plan.summary.plan_id: plan for plan in self.entries[provider][:until]}


class Process:
    """An index that follows the logs over the file of a directory."""

    def __init__(self, logs: Logs, directory: Path) -> None:
        self.logs = logs
        self.live = LiveIndex(RENDERING)
        self.file = MappedIndexFile(self.live, RENDERING, FixedClock(), directory)
        self.at: dict[str, LogPosition] = {}
        self.seen: dict[str, int] = {}
        """How many entries of each provider it knows."""

    async def start(self) -> None:
        await self.renew()
        for provider in PROVIDERS:
            if provider not in self.at:
                self.load(provider)
        self.live.mark_ready()

    def load(self, provider: str) -> None:
        self.seen[provider] = len(self.logs.entries[provider])
        self.live.put(list(self.logs.states(provider, self.seen[provider]).values()))
        self.at[provider] = self.logs.head(provider)

    def advance(self, provider: str, most: int) -> None:
        if self.at[provider].epoch != self.logs.epochs[provider]:
            self.load(provider)
            return
        before = self.seen[provider]
        found = self.logs.entries[provider][before : before + most]
        self.live.put(found)
        self.seen[provider] += len(found)
        self.at[provider] = replace(self.at[provider], sequence=self.at[provider].sequence + len(found))

    async def renew(self) -> None:
        taken = await self.file.renew(self.at)
        if taken is None:
            return
        for name, position in taken.items():
            self.at[name] = position
            self.seen[name] = SEEN[position, name]

    async def write(self) -> None:
        SEEN.update({(position, name): self.seen[name] for name, position in self.at.items()})
        await self.file.write(self.at)

    def check(self) -> None:
        """Compare everything that it finds, in each way, with a scan."""
        if any(position.epoch != self.logs.epochs[name] for name, position in self.at.items()):
            return  # a file may have had more of whose log is gone; it is loaded anew in a moment
        states = [plan for name in PROVIDERS for plan in self.logs.states(name, self.seen[name]).values()]
        states.sort(key=lambda plan: (plan.starts_at, str(plan.summary.plan_id)))
        window = TimeWindow(BEGIN, BEGIN + timedelta(hours=9))
        inside = [plan.summary for plan in states if window.holds(plan.starts_at, plan.ends_at)]
        assert self.live.size == len(states)
        assert self.live.find(TimeWindow()) == [plan.summary for plan in states]
        assert self.live.find(window) == inside
        anew = LiveIndex(RENDERING)
        anew.put(states)
        assert tag_of(self.live) == tag_of(anew)


SEEN: dict[tuple[LogPosition, str], int] = {}
"""What positions in files mean."""


class World:
    """Three processes of one directory; the first two write, as if each thought that it were alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.logs = Logs()
        self.processes = [Process(self.logs, directory) for _ in range(3)]

    async def take(self, version: int, kind: str, which: int, provider: str, more: tuple[int, int, int]) -> None:
        number, hour, hours = more
        process = self.processes[which]
        if kind == "change":
            self.logs.add(a_state(number, version, provider=provider, hour=hour, hours=hours))
        elif kind == "advance":
            process.advance(provider, number)
        elif kind == "write":
            await self.processes[which % 2].write()
        elif kind == "renew":
            await process.renew()
        elif kind == "restart":
            self.processes[which] = Process(self.logs, self.directory)
            await self.processes[which].start()
        elif kind == "lose the log":
            self.logs.lose(provider)
        else:
            left_behind(self.directory, bytes(more))


def left_behind(directory: Path, part: bytes) -> None:
    """Leave what a process leaves that is killed while it writes."""
    (directory / PLACE).parent.mkdir(exist_ok=True)
    (directory / PLACE).with_suffix(".new").write_bytes(part)


KINDS = (*("change",) * 5, *("advance",) * 3, *("write", "renew") * 2, "restart", "lose the log", "kill while writing")
steps = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 2),
    st.sampled_from(PROVIDERS),
    st.tuples(st.integers(0, 6), st.integers(0, 8), st.sampled_from([0, 1, 2, 7, 50, 200])),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=10, max_size=60))
async def test_every_process_finds_what_its_positions_say_whatever_happens(
    script: Sequence[tuple[str, int, str, tuple[int, int, int]]],
) -> None:
    SEEN.clear()
    with TemporaryDirectory() as name:
        world = World(Path(name))
        for process in world.processes:
            await process.start()
        for version, step in enumerate(script):
            await world.take(version, *step)
            for process in world.processes:
                process.check()


def some_plans(number: int, version: int = 1) -> list[SearchablePlan]:
    chance = random.Random(version)
    return [
        a_state(item, version, hour=chance.randrange(500), hours=chance.choice((1, 2, 9, 60))) for item in range(number)
    ]


async def a_written(directory: Path, plans: Sequence[SearchablePlan]) -> MappedIndexFile:
    live = LiveIndex(RENDERING)
    live.put(plans)
    file = MappedIndexFile(live, RENDERING, FixedClock(), directory)
    await file.write({"east": LogPosition(7, 12, "0123456789abcdef")})
    return file


def a_process(directory: Path, rendering: Rendering = RENDERING) -> tuple[LiveIndex, MappedIndexFile]:
    live = LiveIndex(rendering)
    return live, MappedIndexFile(live, rendering, FixedClock(), directory)


async def test_a_new_process_stands_on_the_file_and_tells_what_it_is(tmp_path: Path) -> None:
    await a_written(tmp_path, some_plans(1_000))
    live, file = a_process(tmp_path)

    assert await file.renew({}) == {"east": LogPosition(7, 12, "0123456789abcdef")}
    assert await file.renew({}) is None, "there is no other"
    assert file.in_use is not None
    assert (file.in_use.plans, file.in_use.written_at) == (1_000, NOW)
    assert file.in_use.size == (tmp_path / PLACE).stat().st_size
    assert (tmp_path / PLACE).stat().st_mode & 0o777 == 0o600
    assert not file.is_behind
    live.put(some_plans(1, version=2))
    assert file.is_behind


async def test_windows_in_a_large_file_find_what_they_find_in_memory(tmp_path: Path) -> None:
    plans = some_plans(6 * MANY)
    await a_written(tmp_path, plans)
    mapped, file = a_process(tmp_path)
    await file.renew({})
    in_memory = LiveIndex(RENDERING)
    in_memory.put(plans)
    starts = sorted(plan.starts_at.timestamp() for plan in plans)
    bounds = [
        starts[0] - 1,
        *starts[:: MANY // 4],
        starts[MANY - 1],
        starts[MANY] + 1,
        starts[-1],
        starts[-1] + 1,
    ]

    for after in bounds:
        for before in (after, *(after + 3600 * hours for hours in (1, 5, 70)), float("inf")):
            found, expected = mapped.index.find(after, before), in_memory.index.find(after, before)
            assert found.fragments() == expected.fragments()
            assert found.tag == expected.tag == found.read()[0]


async def test_lists_and_the_calendar_read_the_file_as_they_read_memory(tmp_path: Path) -> None:
    first, then = some_plans(1_500), some_plans(100, version=2)
    await a_written(tmp_path, first)
    mapped, file = a_process(tmp_path)
    await file.renew({})
    in_memory = LiveIndex(RENDERING)
    in_memory.put(first)
    for live in (mapped, in_memory):
        live.put(then)
        live.mark_ready()

    for descending in (False, True):
        question = PlanQuestion(limit=1_000, descending=descending)
        page, expected = [await IndexPlanList(live, RENDERING).page(question) for live in (mapped, in_memory)]
        assert page == expected
        following, wanted = [
            await IndexPlanList(live, RENDERING).page(replace(question, after=page.end)) for live in (mapped, in_memory)
        ]
        assert following == wanted
        assert len(following.plans) == 500
    calendar, expected_calendar = IndexCalendar(mapped, RENDERING), IndexCalendar(in_memory, RENDERING)
    bounds = [BEGIN + timedelta(hours=hour) for hour in range(0, 600, 7)]
    assert calendar.beginning_between(bounds) == expected_calendar.beginning_between(bounds)
    for at in bounds:
        assert calendar.around(at, 40) == expected_calendar.around(at, 40)


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.5, 0.8, 0.95, 0.999, 1.0])
async def test_a_file_of_which_a_byte_is_wrong_is_refused_by_name_and_once(tmp_path: Path, part: float) -> None:
    await a_written(tmp_path, some_plans(200))
    path = tmp_path / PLACE
    data = bytearray(path.read_bytes())
    data[round(part * (len(data) - 1))] ^= 0x10
    path.write_bytes(data)
    live, file = a_process(tmp_path)

    with pytest.raises(IndexFileError, match=re.escape(str(path))):
        await file.renew({})
    assert await file.renew({}) is None
    assert live.size == 0

    await a_written(tmp_path, some_plans(3))
    assert await file.renew({}) is not None
    assert live.size == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: b"", "cannot be read"),
        (lambda data: data[:40], "is no index file of Marquee"),
        (lambda data: b"PK" + data[2:], "is no index file of Marquee"),
        (lambda data: data[:-1], "is damaged: its checksum is wrong"),
        (lambda data: data + b"x", "is damaged: its checksum is wrong"),
        (lambda data: data[: len(data) // 2], "is damaged: its checksum is wrong"),
        (lambda data: PREAMBLE.pack(MAGIC, 99) + data[PREAMBLE.size :], "has format 99; this version of Marquee reads"),
    ],
)
async def test_what_is_no_whole_file_of_this_version_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    await a_written(tmp_path, some_plans(200))
    path = tmp_path / PLACE
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(IndexFileError, match=said):
        await a_process(tmp_path)[1].renew({})


async def test_whoever_changes_what_stands_where_raises_the_number_of_the_format(tmp_path: Path) -> None:
    """Else processes of two versions would take each other's files for their own.

    When this fails: raise FORMAT, and write down here what the file is by then. What plans are rendered to has a name
    of its own (`name_of`), so it is left out.
    """
    plain = replace(RENDERING, render=lambda plan: RENDERING.prefix(plan.plan_id) + b"}")
    live = LiveIndex(plain)
    live.put([replace(a_state(number, hour=number, hours=number * 9), details=None) for number in range(1, 9)])

    await MappedIndexFile(live, plain, FixedClock(), tmp_path).write({"east": LogPosition(7, 8, "0-1")})

    data = (tmp_path / PLACE).read_bytes()
    assert (FORMAT, len(data), data[-CHECKSUM.size :].hex()) == (2, 1450, "ba3f745e")


async def test_a_file_with_other_answers_is_refused(tmp_path: Path) -> None:
    await a_written(tmp_path, some_plans(2))
    others = replace(RENDERING, render=lambda plan: RENDERING.render(plan).replace(b'"title"', b'"name"'))

    with pytest.raises(IndexFileError, match="holds answers of another version of Marquee"):
        await a_process(tmp_path, others)[1].renew({})


async def test_what_cannot_be_written_leaves_the_file_before_and_says_why(tmp_path: Path) -> None:
    file = await a_written(tmp_path, some_plans(2))
    before = (tmp_path / PLACE).read_bytes()
    (tmp_path / PLACE).with_suffix(".new").mkdir()

    with pytest.raises(IndexFileError, match=re.escape(f"{tmp_path / PLACE} cannot be written")):
        await file.write({})

    assert (tmp_path / PLACE).read_bytes() == before


@pytest.mark.parametrize("what", ["taken away", "replaced by a damaged one"])
async def test_a_file_that_is_lost_is_written_anew_though_nothing_has_changed(tmp_path: Path, what: str) -> None:
    await a_written(tmp_path, some_plans(20))
    live, file = a_process(tmp_path)
    at = await file.renew({})
    assert at
    before = (tmp_path / PLACE).read_bytes()
    (tmp_path / PLACE).unlink()
    if what == "replaced by a damaged one":
        (tmp_path / PLACE).write_bytes(before[:-1])
    with suppress(IndexFileError):
        await file.renew(at)

    lacks = [file.is_behind]
    await file.write(at)
    lacks.append(file.is_behind)
    renewed = await file.renew(at)
    lacks.append(file.is_behind)

    assert (lacks, renewed, live.size) == ([True, False, False], at, 20)
    assert len((tmp_path / PLACE).read_bytes()) == len(before)


async def test_of_no_plans_no_file_is_lost(tmp_path: Path) -> None:
    _, file = a_process(tmp_path)
    assert await file.renew({}) is None
    assert not file.is_behind


async def test_what_was_changed_where_it_lies_gets_no_right_checksum(tmp_path: Path) -> None:
    await a_written(tmp_path, some_plans(20))
    live, file = a_process(tmp_path)
    await file.renew({})
    with (tmp_path / PLACE).open("r+b") as opened:
        opened.seek(200)
        opened.write(b"?")
    live.put(some_plans(1, version=2))

    with pytest.raises(SpoiltIndexError, match=re.escape(str(tmp_path / PLACE))):
        await file.write({})

    with pytest.raises(IndexFileError, match="is damaged"):
        await a_process(tmp_path)[1].renew({})


async def test_what_killed_writers_left_goes_with_the_next_file(tmp_path: Path) -> None:
    left_behind(tmp_path, b"half")

    await a_written(tmp_path, some_plans(2))

    assert [path.name for path in (tmp_path / PLACE).parent.iterdir()] == [PLACE.name]


async def test_who_holds_an_old_file_reads_it_however_many_were_written_since(tmp_path: Path) -> None:
    await a_written(tmp_path, some_plans(500))
    live, file = a_process(tmp_path)
    await file.renew({})
    found = live.index.find(float("-inf"), float("inf"))
    before, tag = found.fragments(), found.tag

    for version in range(2, 5):
        await a_written(tmp_path, some_plans(500 + version, version))

    assert (found.fragments(), found.tag, live.size) == (before, tag, 500)
    await file.renew({})
    assert live.size == 504
    assert (found.fragments(), found.tag) == (before, tag)


def mappings_of(directory: Path) -> int:
    """Count the files of a directory that this process maps, where the system tells."""
    maps = Path("/proc/self/maps")
    return maps.read_text(encoding="utf-8").count(str(directory)) if maps.exists() else 0


async def test_neither_memory_nor_the_file_grow_over_a_day_of_changes(tmp_path: Path) -> None:
    """Every ten seconds some of the plans change: 240 files stand for the 8,640 of a day."""
    plans = some_plans(300)
    await a_written(tmp_path, plans)
    live, file = a_process(tmp_path)
    await file.renew({})
    live.mark_ready()
    sizes = []
    for version in range(3, 483, 2):
        live.put([a_state(item % 300, version, hour=version) for item in range(version * 7, version * 7 + 30)])
        await file.write({"east": LogPosition(7, version)})
        assert await file.renew({"east": LogPosition(7, version)}) is not None
        assert not file.is_behind
        assert not list(live.index.changed())
        sizes.append((tmp_path / PLACE).stat().st_size)

    assert live.size == 300
    assert max(sizes) < 2.5 * sizes[0]
    assert mappings_of(tmp_path) <= 2
    assert sorted(path.name for path in (tmp_path / PLACE).parent.iterdir()) == [PLACE.name]


async def test_changes_go_on_while_a_file_is_written(tmp_path: Path) -> None:
    plans = some_plans(2_000)
    live, file = a_process(tmp_path)
    live.put(plans)
    live.mark_ready()
    writing = asyncio.create_task(file.write({"east": LogPosition(7, 1)}))
    await asyncio.sleep(0)
    live.put(some_plans(10, version=2))
    await writing

    assert file.is_behind
    assert await file.renew({"east": LogPosition(7, 2)}) == {}
    expected = LiveIndex(RENDERING)
    expected.put([*plans, *some_plans(10, version=2)])
    assert tag_of(live) == tag_of(expected)
    assert len(list(live.index.changed())) == 10
