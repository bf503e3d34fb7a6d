"""`marquee stats`, `marquee dead-letters` and `marquee import` as their users meet them."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner, Result

from app.adapters.inbound.activity_files.imported_file import CHUNK
from app.adapters.inbound.cli.activities_commands import ActivitiesParts, add_activities_commands
from app.adapters.inbound.cli.dead_letter_commands import add_dead_letter_commands
from app.adapters.inbound.cli.import_command import ImportParts, add_import_command
from app.adapters.inbound.cli.imports_commands import ImportsParts, add_imports_commands
from app.adapters.inbound.cli.saying import NO_TERMINAL
from app.adapters.inbound.cli.stats_commands import add_stats_commands
from app.adapters.inbound.cli.stats_tables import value_points
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.application.ask_funnel import AskFunnel
from app.application.expire_activities import ExpireActivities
from app.application.import_activities import ImportActivities
from app.application.list_activities import ListActivities
from app.application.ports.activities import DeadLetter, DeadLetters
from app.application.ports.imports import ImportId
from app.application.read_plan_stats import PlanByDay, PlansByFigures, WhatSells
from app.application.read_series import Series, SeriesByDimension, TotalInRange, TotalsOfRange, ValueSeries
from app.application.read_stats import DailyActiveUsers, PageOfTotals, Retention, TopTypes, TotalOfType
from app.application.undo_import import UndoImport
from app.domain.activities import Activity, ActivityRules
from app.domain.dimensions import DimensionValue
from app.domain.series import Metric, Point
from tests.fakes.activity_archive import MemoryActivityArchive
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.funnel_instants import MemoryFunnelInstants
from tests.fakes.imports import MemoryImports
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.fakes.recent_ids import MemoryRecentIds
from tests.fakes.store import MemoryStore
from tests.support.fixed_clock import FixedClock

SAMPLE = Path(__file__).parents[3] / "sample" / "activities.csv"
NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
HEADER = "type,occurred_at,user_id,value\n"
ROW = "view,2026-01-02T10:00:00Z,ana,\n"


class ListedLetters(DeadLetters):
    """A list of letters; those without activities cannot be retried."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    async def list(self, limit: int) -> Sequence[DeadLetter]:
        return self.letters[:limit]

    async def retry(self, letter_ids: Collection[str]) -> int:
        return self._remove([one for one in self.letters if one.letter_id in letter_ids and one.activities])

    async def drop(self, letter_ids: Collection[str]) -> int:
        return self._remove([one for one in self.letters if one.letter_id in letter_ids])

    def _remove(self, gone: Sequence[DeadLetter]) -> int:
        self.letters = [one for one in self.letters if one not in gone]
        return len(gone)


class Interrupted(MemoryActivityStore):
    """Somebody presses Ctrl-C."""

    async def store(
        self,
        activities: Sequence[Activity],  # noqa: ARG002 - the port's
        import_id: ImportId | None = None,  # noqa: ARG002 - the port's
    ) -> int:
        raise KeyboardInterrupt


class Filling(MemoryActivityStore):
    """There is room for one chunk."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(zone)
        self.imports = FillingImports(self)


class FillingImports(MemoryImports):
    def __init__(self, store: MemoryActivityStore) -> None:
        super().__init__()
        self._store = store

    async def mark(self, import_id: ImportId, rows: int) -> None:
        await super().mark(import_id, rows)
        self._store.unavailable = "the disk is full"


class World:
    """The commands over memory adapters."""

    def __init__(self) -> None:
        self.store = MemoryActivityStore(UTC)
        self.stream = MemoryActivityStream()
        self.dead = ListedLetters()
        self.rules = ActivityRules()
        self.cli = typer.Typer()
        add_stats_commands(self.cli, self._stats)
        add_activities_commands(self.cli, self._expiry)
        add_dead_letter_commands(self.cli, self._letters)
        add_import_command(self.cli, self._import)
        add_imports_commands(self.cli, self._imports)

    @asynccontextmanager
    async def _stats(self) -> AsyncIterator[StatsUseCases]:
        clock = FixedClock(NOW)
        plans = PlansByFigures(self.store, MemoryPlanCatalog(MemoryStore()), MemoryPlanJournal(), clock, UTC)
        yield StatsUseCases(
            page_of_totals=PageOfTotals(self.store),
            keeper=self.store,
            total_of_type=TotalOfType(self.store),
            daily_active_users=DailyActiveUsers(self.store, clock, UTC),
            top_types=TopTypes(self.store, clock, UTC),
            retention=Retention(self.store, clock, UTC, ["purchase"]),
            series=Series(self.store, clock, UTC),
            series_by_dimension=SeriesByDimension(self.store, clock, UTC, ["source", "properties.page"]),
            totals_of_range=TotalsOfRange(self.store, clock, UTC),
            total_in_range=TotalInRange(self.store, self.store, clock, UTC),
            plans_by_figures=plans,
            plan_by_day=PlanByDay(self.store, clock, UTC),
            what_sells=WhatSells(plans),
            ask_funnel=AskFunnel(MemoryFunnelInstants(self.store), clock, UTC),
        )

    @asynccontextmanager
    async def _expiry(self) -> AsyncIterator[ActivitiesParts]:
        expire = ExpireActivities(expiry=self.store, clock=FixedClock(NOW), zone=UTC, keep_days=None, pause=0)
        look = ListActivities(MemoryActivityArchive(await self.store.counted()))
        yield ActivitiesParts(expire_activities=expire, list_activities=look, zone=UTC)

    @asynccontextmanager
    async def _letters(self) -> AsyncIterator[DeadLetters]:
        yield self.dead

    @asynccontextmanager
    async def _import(self) -> AsyncIterator[ImportParts]:
        importing = ImportActivities(self.store, self.store.imports, FixedClock(NOW))
        yield ImportParts(import_activities=importing, rules=self.rules, clock=FixedClock(NOW))

    @asynccontextmanager
    async def _imports(self) -> AsyncIterator[ImportsParts]:
        undo = UndoImport(self.store.imports, self.store, MemoryRecentIds(self.stream))
        yield ImportsParts(imports=self.store.imports, undo_import=undo)

    def run(self, *arguments: str, given: str | bytes | None = None) -> Result:
        return CliRunner().invoke(self.cli, arguments, input=given)

    def json(self, *arguments: str, given: str | bytes | None = None) -> Any:
        done = self.run(*arguments, "--json", given=given)
        assert done.stderr == ""
        return json.loads(done.stdout, parse_float=Decimal)

    def json_anyway(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def lines(self, *arguments: str) -> list[str]:
        done = self.run(*arguments)
        assert done.exit_code == 0, done.output
        return [" ".join(line.split()) for line in done.stdout.splitlines()]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def imported(world: World) -> World:
    """The sample was imported."""
    assert world.run("import", str(SAMPLE)).exit_code == 0
    return world


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.csv"


def test_the_sample_is_imported_and_every_question_to_it_is_answered(world: World) -> None:
    imported = world.lines("import", str(SAMPLE))

    assert imported[0].startswith("1,000 rows in ")
    assert imported[1:] == ["stored 1,000, duplicates 0, rejected 0"]
    assert world.lines("stats", "totals")[:3] == ["type count sum", "click 284 0", "purchase 75 6,605.00"]
    assert world.lines("stats", "show", "click") == ["type count sum", "click 284 0"]
    assert len(world.lines("stats", "dau")) == 31
    assert world.lines("stats", "top", "--limit", "1")[1].startswith("view ")
    assert len(world.lines("stats", "retention", "--granularity", "week", "--windows", "9")) == 10


def test_json_says_the_same_with_every_digit(imported: World) -> None:
    totals = imported.json("stats", "totals")
    days = imported.json("stats", "dau", "--from", "2026-01-05", "--to", "2026-01-06")
    retention = imported.json(
        "stats", "retention", "--start-date", "2026-01-07", "--windows", "2", "--granularity", "week"
    )

    assert str(totals[1]) == "{'type': 'purchase', 'count': 75, 'sum': Decimal('6605.00')}"
    assert imported.json("stats", "show", "purchase") == totals[1]
    assert [day["date"] for day in days] == ["2026-01-05", "2026-01-06"]
    assert [cohort["start"] for cohort in retention["cohorts"]] == ["2026-01-05", "2026-01-12"]
    assert imported.json("stats", "top", "--limit", "1", "--from", "2026-01-05") == [{"type": "view", "count": 641}]


def test_retention_is_a_triangle_of_counts_and_shares(world: World, file: Path) -> None:
    visits = [("ana", 3), ("bob", 3), ("ana", 4), ("eve", 4), ("eve", 6)]
    file.write_text(HEADER + "".join(f"view,2026-03-0{day}T00:00:00Z,{user},\n" for user, day in visits))
    world.run("import", str(file))

    assert world.lines("stats", "retention", "--windows", "4") == [
        "day size +0 +1 +2 +3",
        "2026-03-03 2 2 100% 1 50% 0 0%",
        "2026-03-04 1 1 100% 0 0%",
        "2026-03-05 0 0",
        "2026-03-06 0",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "sold"), "no activity of the type 'sold' has been counted"),
        (("dau", "--from", "now"), "--from: 'now' is not a date; expected one such as 2026-01-05"),
        (("top", "--from", "2026-02-02", "--to", "2026-02-01"), "from (2026-02-02) is after to (2026-02-01)"),
        (("retention", "--start-date", "9999-12-31"), "reach beyond 9999-12-31"),
    ],
)
def test_a_question_that_cannot_be_answered_ends_with_2_and_one_line(
    imported: World, arguments: tuple[str, ...], message: str
) -> None:
    done = imported.run("stats", *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_history_that_is_away_ends_with_1_and_one_line(world: World) -> None:
    world.store.unavailable = "the disk is full"

    for arguments in (("stats", "totals"), ("stats", "verify"), ("import", str(SAMPLE))):
        done = world.run(*arguments)

        assert (done.exit_code, done.stdout, done.stderr) == (1, "", "marquee: the disk is full\n")


def test_verify_ends_with_1_and_the_first_difference_until_a_rebuild(imported: World) -> None:
    good = imported.run("stats", "verify")
    imported.run("stats", "reset", "--yes")
    bad = imported.run("stats", "verify")
    bad_json = imported.json("stats", "verify")
    rebuilt = imported.run("stats", "rebuild")

    assert (good.exit_code, good.stdout) == (0, "the figures agree with the activities\n")
    assert bad.exit_code == 1
    assert bad.stdout.startswith("the figures differ; first: count of click on 2026-01-0")
    assert bad_json["difference"]["kept"] == "nothing"
    assert rebuilt.stdout == "rebuilt from 1,000 activities\n"
    assert imported.run("stats", "verify").exit_code == 0


def test_a_reset_asks_before_it_does_it(imported: World) -> None:
    refused = imported.run("stats", "reset", given="y\n")
    still = imported.lines("stats", "totals")
    agreed = imported.run("stats", "reset", "--yes")

    assert (refused.exit_code, len(still), agreed.exit_code) == (2, 4, 0)
    assert refused.stderr == f"marquee: {NO_TERMINAL}\n"
    assert imported.lines("stats", "totals") == [
        "no activity has been counted yet: POST /events or `marquee import FILE` brings some"
    ]


def test_what_cannot_be_used_at_all_ends_with_1_and_a_file_without_rows_with_0(world: World, file: Path) -> None:
    file.write_text(f"{HEADER}No,2026-01-02T10:00:00Z,,\n")
    useless = world.run("import", str(file))
    file.write_text(HEADER)
    empty = world.run("import", str(file))

    assert (useless.exit_code, useless.stderr) == (1, "marquee: no row could be used\n")
    assert (empty.exit_code, empty.stdout.splitlines()[0]) == (0, "the file has no rows")


def test_one_row_that_is_known_already_is_of_use(world: World, file: Path) -> None:
    file.write_text(f"{HEADER}view,2026-01-02T10:00:00Z,ana,\nNo,2026-01-02T10:00:00Z,,\n")

    done = [world.run("import", str(file), *again) for again in ((), ("--again",))]

    assert [one.exit_code for one in done] == [0, 0]
    assert "stored 0, duplicates 1, rejected 1" in done[1].stdout


def test_rejects_have_an_end_that_counts_what_it_leaves_out(world: World, file: Path) -> None:
    file.write_text(HEADER + "No,2026-01-02T10:00:00Z,,\n" * 100)
    rejects = file.with_name("some.csv.rejects.ndjson")

    done = world.run("import", str(file), "--max-rejects-bytes", "2000")
    *kept, last = [json.loads(line) for line in rejects.read_text().splitlines()]
    again = world.json_anyway("import", str(file), "--max-rejects-bytes", "2000", "--again")

    left_out = 100 - len(kept)
    assert 2000 <= rejects.stat().st_size < 2200
    assert last["code"] == "left_out"
    assert last["reason"] == f"{left_out} rejected rows are left out from here on: this file has its 2,000 bytes"
    assert last["line"] == kept[-1]["line"] + 1
    assert f"left out there: {left_out} rows, for it is full" in done.stdout
    assert (again["rejected"], again["rejects_left_out"]) == (100, left_out)


def test_a_reject_steers_no_terminal_that_shows_it(world: World, file: Path) -> None:
    file.write_text(f"{HEADER}\x1b[31mview\x9b0m,2026-01-02T10:00:00Z,,\n")

    world.run("import", str(file))

    written = file.with_name("some.csv.rejects.ndjson").read_text()
    assert "\\u001b[31mview\\u009b0m" in written
    assert json.loads(written)["row"].startswith("\x1b[31mview\x9b0m,")


def test_totals_are_listed_in_pages(world: World, file: Path) -> None:
    file.write_text(HEADER + "".join(ROW.replace("view", kind) for kind in "abc"))
    world.run("import", str(file))

    first, last = world.run("stats", "totals", "--limit", "2", "--json"), world.json("stats", "totals", "--after", "b")

    assert [total["type"] for total in json.loads(first.stdout)] == ["a", "b"]
    assert first.stderr == "marquee: there are more: --after b\n"
    assert [total["type"] for total in last] == ["c"]


def test_an_import_says_what_it_rejected_and_ignored_and_where_the_rejects_are(world: World, file: Path) -> None:
    file.write_text("type,occurred_at,note\nview,2026-01-02T10:00:00Z,x\nNo,2026-01-02T10:00:00Z,y\nview,,z\n")
    rejects = file.with_name("some.csv.rejects.ndjson")

    lines = world.lines("import", str(file))

    assert lines[1:] == [
        "stored 1, duplicates 0, rejected 2",
        f"rejected: 1 invalid_type, 1 missing_field; see {rejects}",
        "ignored columns: note (--map COLUMN=properties.NAME keeps one)",
    ]
    assert [json.loads(line)["row"] for line in rejects.read_text().splitlines()] == [
        "No,2026-01-02T10:00:00Z,y",
        "view,,z",
    ]


def test_the_summary_of_an_import_is_one_json_document(world: World, file: Path) -> None:
    file.write_text(HEADER + ROW + "bad\n")

    summary = world.json("import", str(file), "--rejects", str(file.with_name("bad.ndjson")))

    assert isinstance(summary, dict)
    assert summary.pop("seconds") >= 0
    assert summary.pop("rows_per_second") > 0
    assert summary == {
        "import": 1,
        "rows": 2,
        "stored": 1,
        "duplicates": 0,
        "rejected": 1,
        "rejected_for": {"missing_field": 1},
        "rejects": str(file.with_name("bad.ndjson")),
        "rejects_left_out": 0,
        "ignored_columns": [],
        "continued_after": 0,
        "trouble": None,
    }


def test_imports_are_listed_with_what_they_stored_the_newest_first(world: World, file: Path) -> None:
    none = world.lines("imports", "list")
    world.run("import", str(SAMPLE))
    file.write_text(f"who,type,occurred_at\nana,view,2026-01-02T10:00:00Z\n{ROW}")
    world.run("import", str(file), "--map", "who=user_id")

    listed, told = world.lines("imports", "list", "--limit", "1"), world.json("imports", "list")

    assert none == ["nothing was imported yet: `marquee import FILE` does it"]
    assert listed[0].split() == ["id", "file", "read", "as", "begun", "state", "rows", "stored"]
    assert listed[1].startswith("2 ")
    assert [one["id"] for one in told] == [2, 1]
    now = told[0]["begun_at"]
    assert told[0] == {
        "id": 2,
        "file": str(file),
        "reading": "csv who=user_id",
        "begun_at": now,
        "ended_at": now,
        "state": "finished",
        "rows": 2,
        "stored": 1,
    }


def test_what_is_to_be_known_of_the_days_is_said_beside_the_answer(world: World) -> None:
    world.store.days_trouble = "days were counted by older rules: run `marquee stats rebuild`"

    for command in (("dau",), ("top",), ("retention",), ("verify",)):
        done = world.run("stats", *command, "--json")
        assert done.stderr == f"marquee: {world.store.days_trouble}\n"
        json.loads(done.stdout)
    assert world.run("stats", "totals").stderr == ""


def test_a_second_import_says_that_it_was_done_before(world: World, file: Path) -> None:
    file.write_text(HEADER + ROW * 2)
    world.run("import", str(file))

    again = world.lines("import", str(file))
    told = world.json("import", str(file), "--again")

    assert again[0] == "continued at row 3: the rows before were imported earlier"
    assert again[2] == "stored 0, duplicates 0, rejected 0"
    assert told["duplicates"] == 2


def test_an_import_that_is_interrupted_or_cut_short_ends_with_1_and_says_how_to_go_on(world: World, file: Path) -> None:
    file.write_text(HEADER + ROW * (CHUNK + 1))
    world.store = Interrupted(UTC)
    stopped = world.run("import", str(file))
    world.store = Filling(UTC)
    cut = world.run("import", str(file))

    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert stopped.stderr == "marquee: stopped; the same command goes on from there\n"
    assert (cut.exit_code, cut.stdout.split(" in ")[0]) == (1, f"{CHUNK:,} rows")
    assert cut.stderr == "marquee: cut short: the disk is full; the same command goes on from there\n"


def test_rows_that_the_store_refuses_go_to_the_rejects(world: World, file: Path) -> None:
    world.store.not_storable.add("view")
    file.write_text(HEADER + ROW + ROW.replace("view", "click"))

    summary = world.json("import", str(file))

    assert summary["rejected_for"] == {"not_storable": 1}
    assert summary["stored"] == 1


def test_standard_input_is_imported_too(world: World, tmp_path: Path) -> None:
    rows = '{"what":"view","occurred_at":"2026-01-02T10:00:00Z"}\n{"what":"view"}\n'
    rejects = tmp_path / "rejects"

    done = world.run("import", "-", "--map", "what=type", "--rejects", str(rejects), "--format", "ndjson", given=rows)

    assert (done.exit_code, len(rejects.read_text().splitlines())) == (0, 1)
    assert world.lines("stats", "totals")[1] == "view 1 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.csv",), "missing.csv cannot be read"),
        ((str(SAMPLE), "--map", "nope=type"), "--map nope=...: no such column"),
        ((str(SAMPLE), "--map", "nope"), "expected COLUMN=FIELD"),
        ((str(SAMPLE), "--rejects", str(SAMPLE)), "holds no rejects"),
        ((str(SAMPLE), "--format", "xml"), "'xml' is not one of"),
    ],
)
def test_a_mistake_in_the_use_of_import_ends_with_2(world: World, arguments: tuple[str, ...], message: str) -> None:
    done = world.run("import", *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def a_letter(number: int, *, readable: bool = True) -> DeadLetter:
    activities = [Activity(UUID(int=number), "view", NOW, value=Decimal("1.50"), properties='{"a":[1]}')]
    return DeadLetter(f"{number}-0", NOW, "too odd", activities if readable else [], None if readable else "b'\\xff'")


def test_dead_letters_are_listed_with_their_reasons(world: World) -> None:
    world.dead.letters = [a_letter(1), a_letter(2, readable=False)]

    table = world.lines("dead-letters", "list")
    first = world.json("dead-letters", "list", "--limit", "1")

    assert table[1:] == [
        "1-0 2026-03-06 12:00:00Z 1 too odd 00000000-0000-0000-0000-000000000001 view 2026-03-06 12:00:00Z",
        "2-0 2026-03-06 12:00:00Z 0 too odd b'\\xff'",
    ]
    assert first == [
        {
            "id": "1-0",
            "buried_at": "2026-03-06T12:00:00.000Z",
            "reason": "too odd",
            "activities": [
                {
                    "id": "00000000-0000-0000-0000-000000000001",
                    "type": "view",
                    "source": None,
                    "occurred_at": "2026-03-06T12:00:00.000Z",
                    "user_id": None,
                    "value": Decimal("1.50"),
                    "properties": {"a": [1]},
                }
            ],
            "source": None,
        }
    ]


def test_letters_are_retried_and_dropped_by_their_ids(world: World) -> None:
    world.dead.letters = [a_letter(1), a_letter(2), a_letter(3)]

    retried = world.run("dead-letters", "retry", "1-0")
    dropped = world.run("dead-letters", "drop", "2-0", "9-9")

    assert (retried.exit_code, retried.stdout) == (0, "put back: 1 of 1 dead letters\n")
    assert (dropped.exit_code, dropped.stdout) == (1, "dropped: 1 of 2 dead letters\n")
    assert [letter.letter_id for letter in world.dead.letters] == ["3-0"]


def test_letters_that_are_unknown_or_unreadable_are_named(world: World) -> None:
    world.dead.letters = [a_letter(1), a_letter(2, readable=False)]

    retried = world.run("dead-letters", "retry", "abc", "1-0", "2-0")
    dropped = world.run("dead-letters", "drop", "abc")

    assert (retried.exit_code, retried.stdout) == (1, "put back: 1 of 3 dead letters\n")
    assert retried.stderr.splitlines() == [
        "marquee: no dead letter has the id 'abc'; `marquee dead-letters list` shows them",
        "marquee: 2-0 cannot be read; `marquee dead-letters drop 2-0` forgets it",
    ]
    assert (dropped.exit_code, dropped.stdout) == (1, "dropped: 0 of 1 dead letters\n")
    assert "no dead letter has the id 'abc'" in dropped.stderr


def test_all_letters_that_can_be_read_are_retried(world: World) -> None:
    world.dead.letters = [a_letter(0, readable=False), *map(a_letter, range(1, 251))]

    done = world.run("dead-letters", "retry", "--all")

    assert (done.exit_code, done.stdout) == (1, "put back: 250 of 251 dead letters\n")
    assert [letter.letter_id for letter in world.dead.letters] == ["0-0"]


@pytest.mark.parametrize("arguments", [("retry",), ("drop", "1-0", "--all")])
def test_letters_are_named_either_by_ids_or_as_all(world: World, arguments: tuple[str, ...]) -> None:
    done = world.run("dead-letters", *arguments)

    assert (done.exit_code, done.stderr) == (2, "marquee: name letters by their ids, or say --all\n")


def test_an_import_is_undone_and_comes_again(imported: World) -> None:
    assert imported.lines("imports", "undo", "1", "--yes") == [
        f"import 1 of {SAMPLE} is undone: 1,000 activities were taken out"
    ]

    assert imported.json("stats", "totals") == []
    assert imported.lines("import", str(SAMPLE))[1] == "stored 1,000, duplicates 0, rejected 0"
    assert [one["state"] for one in imported.json("imports", "list")] == ["finished", "undone"]


def test_an_undo_says_as_json_what_it_took_out(imported: World) -> None:
    answer = imported.json("imports", "undo", "1", "--yes")

    assert (answer["removed"], answer["ids_free"], answer["import"]["state"]) == (1_000, True, "undone")


def test_an_undo_says_when_the_door_still_knows_the_ids(imported: World) -> None:
    imported.stream.store.unavailable = "Redis is away"

    assert "the door calls them duplicates" in imported.lines("imports", "undo", "1", "--yes")[1]


def test_an_undo_asks(imported: World) -> None:
    asked = imported.run("imports", "undo", "1")

    assert (asked.exit_code, asked.stderr) == (2, f"marquee: {NO_TERMINAL}\n")


def test_an_import_that_never_was_is_not_undone(world: World) -> None:
    refused = world.run("imports", "undo", "7", "--yes")

    assert refused.exit_code == 2
    assert refused.stderr == "marquee: no import has the id 7: `marquee imports list` shows them\n"


def test_what_leaves_by_hand_is_asked_for_and_what_cannot_be_made_anew_is_told(imported: World) -> None:
    refused = imported.run("activities", "purge", "--before", "2026-02-01")
    wrong = imported.run("activities", "purge", "--before", "yesterday", "--yes")
    left = imported.json("activities", "purge", "--before", "2026-02-01", "--yes")
    again = imported.lines("activities", "purge", "--before", "2026-02-01", "--yes")

    assert (refused.exit_code, wrong.exit_code) == (2, 2)
    assert left["activities"] > 0
    assert again == ["0 activities have left"]
    verified = imported.run("stats", "verify")
    assert verified.exit_code == 0
    assert "compared from 2026-02-01 on" in verified.stdout
    assert imported.json("stats", "verify") == {"agree": True, "difference": None, "from": "2026-02-01"}
    assert imported.json("stats", "rebuild") == {"activities": 1_000 - left["activities"]}
    assert sum(total["count"] for total in imported.json("stats", "totals")) == 1_000
    assert imported.run("stats", "reset").exit_code == 2
    assert imported.run("stats", "reset", "--yes").exit_code == 0
    assert imported.json("stats", "totals") == []


def test_a_rebuild_in_another_zone_asks_where_days_are_frozen(imported: World) -> None:
    imported.run("activities", "purge", "--before", "2026-02-01", "--yes")
    imported.store.zone = ZoneInfo("Europe/Madrid")

    asked, agreed = imported.run("stats", "rebuild"), imported.run("stats", "rebuild", "--yes")

    assert (asked.exit_code, agreed.exit_code) == (2, 0)
    assert asked.stderr == f"marquee: {NO_TERMINAL}\n"


def test_a_series_has_a_bar_for_each_period(imported: World) -> None:
    january = ("--from", "2026-01-01", "--to", "2026-01-31")

    revenue = imported.lines("stats", "series", "--metric", "sum", "--type", "purchase", "--to", "2026-01-08")
    by_source = imported.lines("stats", "series", "--dimension", "source", "--interval", "month", *january)

    assert (revenue[0], len(revenue), revenue[-1][:17]) == ("start sum", 31, "2026-01-08 190.75")
    assert by_source[0] == "value start count"
    assert all(line.split()[1] == "2026-01-01" for line in by_source[1:])
    by_value = imported.json("stats", "series", "--dimension", "source", "--value", "nowhere", *january)
    assert [(row["value"], len(row["points"])) for row in by_value["values"]] == [("nowhere", 31)]


def test_totals_of_a_range_are_those_of_its_days(imported: World) -> None:
    days = ("--from", "2026-01-05", "--to", "2026-01-08")

    totals = imported.json("stats", "totals", *days)

    purchases = imported.json("stats", "show", "purchase", *days)
    assert [total for total in totals if total["type"] == "purchase"] == [purchases]
    assert str(purchases["sum"]) == "241.00"


def test_others_and_those_without_a_value_are_told_from_values() -> None:
    rows = [
        ValueSeries(DimensionValue(text, is_other=is_other), [Point(date(2026, 1, 5), 1)])
        for text, is_other in (("web", False), (None, False), (None, True))
    ]

    listed = [str(row[0]) for row in value_points(Metric.COUNT, rows)._rows]

    assert listed == ["web", "none", "others"]


def test_a_funnel_is_a_table_of_steps_and_exact_for_programs(world: World, file: Path) -> None:
    done = [("view", "ana", 3), ("view", "bob", 3), ("purchase", "ana", 4)]
    file.write_text(HEADER + "".join(f"{type_},2026-03-0{day}T00:00:00Z,{user},\n" for type_, user, day in done))
    world.run("import", str(file))
    days = ("--from", "2026-03-01", "--to", "2026-03-05")

    table = world.lines("stats", "funnel", "view,purchase", "--within", "2w", *days)
    listed = world.json("stats", "funnel", "view,purchase", "--within", "12h", *days)
    refused = world.run("stats", "funnel", "view", "--within", "soon")

    assert [line.split("█")[0].strip() for line in table] == [
        "step type users of all",
        "1 view 2 100.0%",
        "2 purchase 1 50.0%",
    ]
    assert listed == [{"step": 1, "type": "view", "users": 2}, {"step": 2, "type": "purchase", "users": 0}]
    assert (refused.exit_code, "'soon' is no length of time" in refused.stderr) == (2, True)


def test_the_newest_activities_are_listed(imported: World) -> None:
    rows = imported.json("activities", "list", "--type", "purchase", "--limit", "3")
    lines = imported.run("activities", "list", "--limit", "2", "--to", "2026-01-10")

    assert [row["type"] for row in rows] == ["purchase"] * 3
    assert rows == sorted(rows, key=lambda row: row["occurred_at"], reverse=True)
    assert lines.stderr == "marquee: there may be more: a larger --limit, or an earlier --to\n"
    assert len(lines.stdout.splitlines()) == 3
