"""Activities as their senders and their readers meet them: doors, stats, imports, dead letters, workers, databases."""

import csv
import gzip
import json
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.adapters.inbound.activity_files.imported_file import CHUNK
from app.adapters.outbound.redis.activity_codec import pack, pack_entry
from app.adapters.outbound.sql.migrate import newest
from app.domain.activities import Activity
from app.infrastructure.settings.start_errors import EX_CONFIG
from tests.support.feed_files import a_feed, some_items
from tests.support.oracle import Oracle
from tests.support.ports import free_port
from tests.support.postgres import postgres_database
from tests.support.redis_server import RedisServer
from tests.support.service import COMMAND, REPOSITORY, Answer, Installation, Service, started
from tests.support.service_access import a_user, bearer
from tests.support.service_activities import expected, known_activities, stats_of, wire
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]

STREAM, DEAD = "marquee:1:{activities}:stream", "marquee:1:{activities}:dead"
SAMPLE = REPOSITORY / "sample" / "activities.csv"
AT = "2026-03-01T12:00:00Z"
OLD = "2020-10-06T10:02:05Z"
UNCOUNTABLE = Decimal(f"1{'0' * 40}.{'0' * 40}1")
"""More digits than a sum may have; the door would refuse it."""
ROWS = 200_000
COLUMNS = ("id", "type", "occurred_at", "user_id", "value")


@pytest.fixture
def installation() -> Iterator[Installation]:
    with Installation() as installation:
        yield installation


def test_every_door_takes_every_form_and_two_workers_count_each_activity_once(installation: Installation) -> None:
    installation.configure(activity={"workers": 2})
    service = installation.run()
    known = list(islice(known_activities(1), 400))
    one, two, three, four = known[:100], known[100:200], known[200:300], known[300:]

    singles = [_post(service, wire([activity])[1:-1]) for activity in one]
    array = _post(service, wire(two))
    batch = _post(service, b'{"events":' + wire(three) + b"}", "/events/batch")
    packed = _post(service, gzip.compress(wire(four)), **{"Content-Encoding": "gzip"})
    again = _post(service, wire(one[:50] + two[:50]))

    assert [(answer.status, answer.json) for answer in singles] == [
        (202, {"id": activity["id"], "status": "accepted"}) for activity in one
    ]
    for answer, sent in ((array, two), (batch, three), (packed, four)):
        assert (answer.status, answer.json["accepted"], answer.json["duplicates"]) == (202, 100, 0)
        assert [result["id"] for result in answer.json["results"]] == [activity["id"] for activity in sent]
    assert (again.status, again.json["accepted"], again.json["duplicates"]) == (202, 0, 100)
    _assert_counted(service, known)
    assert service.child("worker-1") != service.child("worker-2")


def test_figures_that_were_reset_come_back_by_a_rebuild(installation: Installation) -> None:
    service = installation.run()
    assert _post(service, wire(list(islice(known_activities(2), 100)))).status == 202
    until(lambda: _total(service) == 100)
    before = stats_of(lambda target: _ask(service, target))

    refused = service.ask("/stats", "DELETE")
    reset = service.ask("/stats", "DELETE", bearer(a_user(installation, "resetter", "admin")))
    empty = _ask(service, "/stats")
    differs = installation.command("stats", "verify")
    rebuilt = installation.command("stats", "rebuild")

    assert (refused.status, reset.status, empty) == (401, 204, [])
    assert differs.returncode == 1
    assert re.fullmatch(r"rebuilt from [1-9]\d* activities\n", rebuilt.stdout)
    assert stats_of(lambda target: _ask(service, target)) == before
    assert installation.json_of("stats", "verify") == {"agree": True, "difference": None, "from": None}


def test_fields_have_the_names_that_clients_use_and_what_is_refused_costs_nobody_else(
    installation: Installation,
) -> None:
    service = installation.run()
    names = [
        {"id": _uuid(11), "type": "look", "occurred_at": OLD, "user_id": "u", "source": "web", "properties": {"a": 1}},
        {"event_id": _uuid(12), "event_type": "buy", "timestamp": "2020-10-06 10:02:05", "data": {"value": 2.50}},
        {"event_id": _uuid(13), "event_type": "buy", "timestamp": OLD, "value": 0.25, "data": {"seat": 7}},
        {"type": "look", "user_id": "v"},
        {"type": "dau"},
        {"id": _uuid(11), "type": "look"},
    ]

    answer = _post(service, json.dumps(names).encode())

    assert answer.status == 202
    results = answer.json["results"]
    statuses = ["accepted"] * 4 + ["refused", "duplicate"]
    assert [result["status"] for result in results] == statuses
    assert results[4]["error"]["code"] == "reserved_type"
    assert results[4]["error"]["pointer"] == "/4/type"
    assert UUID(results[3]["id"]).version == 7
    until(lambda: service.answers("/stats/look"))
    assert _ask(service, "/stats/look")["count"] == 2
    assert _ask(service, "/stats/buy") == {"type": "buy", "count": 2, "sum": Decimal("2.75")}
    assert service.ask("/stats/sell").status == 404
    assert _ask(service, "/stats/dau?from=2020-10-06&to=2020-10-07") == [
        {"date": "2020-10-06", "users": 1},
        {"date": "2020-10-07", "users": 0},
    ]


def test_the_terminal_answers_the_same_questions_in_tables_and_in_json(installation: Installation) -> None:
    summary = installation.json_of("import", str(SAMPLE))
    oracle = Oracle(_sample(), UTC)
    first, last, today = datetime(2026, 1, 5).date(), datetime(2026, 1, 11).date(), datetime.now(UTC).date()  # noqa: DTZ001
    days = ("--from", str(first), "--to", str(last))
    weeks = ("--start-date", str(first), "--windows", "4", "--granularity", "week")

    assert (summary["stored"], summary["rejected"]) == (1_000, 0)
    assert _exact(installation, "stats", "totals") == oracle.totals()
    assert _exact(installation, "stats", "show", "purchase") == oracle.totals()[1]
    assert _exact(installation, "stats", "dau", *days) == oracle.dau(first, last)
    assert _exact(installation, "stats", "top", *days, "--limit", "2") == oracle.top(first, last, 2)
    assert _exact(installation, "stats", "retention", *weeks) == oracle.retention(first, 4, "week", today)
    table = installation.command("stats", "retention", *weeks).stdout.splitlines()
    assert table[0].split() == ["week", "size", "+0", "+1", "+2", "+3"]
    assert [row.split()[:2] for row in table[1:]] == [
        [cohort["start"], str(cohort["size"])] for cohort in oracle.retention(first, 4, "week", today)["cohorts"]
    ]
    assert table[1].split()[2:6] == ["19", "100%", "16", "84%"]


def test_a_file_that_is_imported_again_or_comes_through_a_pipe_counts_once(installation: Installation) -> None:
    first = installation.command("import", str(SAMPLE))
    second = installation.command("import", str(SAMPLE))
    piped = _import_from_pipe(installation, gzip.compress(SAMPLE.read_bytes() + b",buy,2026-03-01,web,,1.5,\n"))

    assert "stored 1,000, duplicates 0, rejected 0" in first.stdout
    assert "continued at row 1,001" in second.stdout
    assert "stored 0, duplicates 0, rejected 0" in second.stdout
    assert "stored 0, duplicates 1,000, rejected 1" in piped.stdout
    assert {answer.returncode for answer in (first, second, piped)} == {0}
    assert _exact(installation, "stats", "totals") == Oracle(_sample(), UTC).totals()


def test_an_import_that_is_killed_goes_on_from_there_and_counts_every_row_once(installation: Installation) -> None:
    file = installation.directory / "large.csv"
    known = list(islice(known_activities(3), ROWS))
    _write_csv(file, known)
    assert installation.command("migrate").returncode == 0
    importing = _start(installation, "import", str(file))
    until(lambda: _stored(installation) > CHUNK, 30)  # one more than the first was stored, so that one is marked
    importing.kill()
    assert _stored(installation) < ROWS

    rest = installation.json_of("import", str(file))

    assert rest["continued_after"] >= ROWS // 20
    assert rest["stored"] + rest["duplicates"] == rest["rows"] == ROWS - rest["continued_after"]
    oracle = Oracle(known, UTC)
    assert _exact(installation, "stats", "totals") == oracle.totals()
    assert installation.command("stats", "verify").returncode == 0


def test_what_cannot_be_stored_becomes_a_letter_and_does_not_stop_what_is_behind_it(
    installation: Installation,
) -> None:
    service = installation.run()
    uncountable = pack_entry([pack([_activity(1, value=UNCOUNTABLE), _activity(2)])])
    lost_once = pack_entry([pack([_activity(3)])])
    with installation.redis() as redis:
        redis.xadd(STREAM, {"n": 1, "b": 7, "d": b"garbage"})
        redis.xadd(STREAM, {"n": 2, "b": len(uncountable), "d": uncountable})
        redis.xadd(DEAD, {"reason": "the disk ate it", "entry": "1-1", "n": 1, "b": len(lost_once), "d": lost_once})
        redis.hincrby("marquee:1:{activities}:figures", "accepted", 3)
    behind = _post(service, json.dumps({"id": _uuid(4), "type": "behind", "occurred_at": AT}).encode())

    figures = {"backlog": 0, "dead_letters": 3}
    until(lambda: figures.items() <= service.ask("/health").json["activities"].items())
    letters = {letter["reason"]: letter for letter in installation.json_of("dead-letters", "list")}
    shown = installation.command("dead-letters", "list").stdout

    assert behind.status == 202
    until(lambda: service.answers("/stats/behind"))
    assert _ask(service, "/stats/behind")["count"] == 1
    assert _ask(service, "/stats/letter")["count"] == 1  # its neighbour in the entry is counted
    garbage = next(letter for reason, letter in letters.items() if reason.startswith("unreadable"))
    assert (garbage["activities"], garbage["source"]) == ([], "garbage")
    uncounted = next(letter for reason, letter in letters.items() if "cannot be counted" in reason)
    assert [activity["id"] for activity in uncounted["activities"]] == [_uuid(1)]
    assert all(letter["id"] in shown for letter in letters.values())

    retried = installation.command("dead-letters", "retry", letters["the disk ate it"]["id"])
    unreadable = installation.command("dead-letters", "retry", garbage["id"])
    until(lambda: _ask(service, "/stats/letter")["count"] == 2)
    dropped = installation.command("dead-letters", "drop", "--all")

    assert (retried.returncode, retried.stdout) == (0, "put back: 1 of 1 dead letters\n")
    assert (unreadable.returncode, unreadable.stdout) == (1, "put back: 0 of 1 dead letters\n")
    assert (dropped.returncode, dropped.stdout) == (0, "dropped: 2 of 2 dead letters\n")
    assert installation.json_of("dead-letters", "list") == []


@pytest.mark.postgres
def test_workers_on_their_own_share_one_redis_and_one_database_and_finish_what_they_have_when_told_to_end() -> None:
    with ExitStack() as stack:
        url, redis = stack.enter_context(postgres_database()), stack.enter_context(RedisServer())
        sections: dict[str, Any] = {"redis": {"url": redis.url}, "database": {"url": url}, "activity": {"takeover": 1}}
        here, there = (stack.enter_context(Installation(**sections)) for _ in range(2))
        assert here.command("migrate").stdout.startswith("the schema is ")
        api = here.start("api", MARQUEE__SERVICE__PORT=str(free_port()))
        workers = [here.start("worker"), there.start("worker")]
        api.until_ready()
        until(lambda: all(any(entry["event"] == "worker runs" for entry in worker.log) for worker in workers))
        known = list(islice(known_activities(5), 4_000))

        for begin in range(0, len(known), 200):
            assert _post(api, wire(known[begin : begin + 200])).status == 202
            if begin == len(known) // 2:
                workers[0].signal(signal.SIGTERM)

        _assert_counted(api, known)
        assert workers[0].wait() == 0
        workers[1].signal(signal.SIGTERM)
        assert workers[1].wait() == 0
        with closing(redis.client()) as client:
            assert client.xinfo_groups(STREAM)[0]["pending"] == 0
        assert there.json_of("stats", "verify")["agree"]


@pytest.mark.postgres
def test_a_start_against_another_schema_stops_with_one_line_that_says_what_to_do() -> None:
    with postgres_database() as url, Installation(database={"url": url}) as installation:
        empty = installation.start("run")
        assert empty.wait() == EX_CONFIG
        migrated = installation.command("migrate")
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        newer = installation.start("run")
        assert newer.wait() == EX_CONFIG

        assert "has no schema yet: run `marquee migrate`" in _only_line(empty)
        assert (migrated.returncode, migrated.stdout) == (0, f"the schema is {newest()}; before: none\n")
        assert "was made by a newer one; run that one" in _only_line(newer)


def test_a_start_without_its_database_searches_and_takes_activities_and_the_stats_say_503(
    installation: Installation,
) -> None:
    url = installation.write("feed.xml", a_feed(some_items(3)))
    closed = f"postgresql://nobody@127.0.0.1:{free_port()}/history"
    installation.configure({"name": "acme", "url": url, "interval": 3600}, database={"url": closed, "timeout": 1})

    service = installation.run()

    until(lambda: len(service.search()) == 3)
    taken = _post(service, json.dumps({"type": "view", "occurred_at": AT}).encode())
    assert (taken.status, taken.json["status"]) == (202, "accepted")
    stats, past = service.ask("/stats"), service.ask(f"/search?as_of={AT}")
    assert (stats.status, stats.json["error"]["code"]) == (503, "history_unavailable")
    assert int(stats.headers["retry-after"]) > 0
    assert (past.status, past.json["error"]["code"]) == (500, "history_unavailable")
    until(lambda: service.ask("/health").json["activities"]["backlog"] == 1)
    service.signal(signal.SIGTERM)
    assert service.wait() == 0


def _post(service: Service, body: bytes, target: str = "/events", **headers: str) -> Answer:
    with closing(service.connect()) as connection:
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def _ask(service: Service, target: str) -> Any:
    answer = service.ask(target)
    assert answer.status == 200, answer.body
    return json.loads(answer.body, parse_float=Decimal)


def _exact(installation: Installation, *command: str) -> Any:
    answer = installation.command(*command, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout, parse_float=Decimal)


def _total(service: Service) -> int:
    return sum(total["count"] for total in _ask(service, "/stats"))


def _assert_counted(service: Service, posted: Sequence[Any]) -> None:
    oracle = Oracle(posted, UTC)
    until(lambda: _total(service) >= len(oracle.activities))
    assert stats_of(lambda target: _ask(service, target)) == expected(oracle, datetime.now(UTC).date())


def _uuid(number: int) -> str:
    return str(UUID(int=number))


def _activity(number: int, value: Decimal | None = None) -> Activity:
    return Activity(UUID(int=number), "letter", datetime.fromisoformat(AT), value=value)


def _sample() -> list[dict[str, Any]]:
    """The sample file as the oracle wants it."""
    with SAMPLE.open(newline="") as file:
        return [
            {
                "id": row["event_id"],
                "type": row["event_type"],
                "occurred_at": datetime.fromisoformat(row["timestamp"]),
                "user_id": row["user_id"] or None,
                "value": row["value"] or None,
            }
            for row in csv.DictReader(file)
        ]


def _write_csv(file: Path, activities: Sequence[Any]) -> None:
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        writer.writerows([activity[name] for name in COLUMNS] for activity in activities)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}


def _start(installation: Installation, *arguments: str) -> Service:
    """Start a command that may be killed in its middle."""
    command = (*COMMAND, "--config", str(installation.config), *arguments)
    return Service(command, installation.directory / "command.log", _clean())


def _import_from_pipe(installation: Installation, content: bytes) -> "subprocess.CompletedProcess[str]":
    """Run `marquee import -`, its rejects beside the settings."""
    rejects = str(installation.directory / "rejects.ndjson")
    command = (*COMMAND, "--config", str(installation.config), "import", "-", "--rejects", rejects)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(command, cwd=REPOSITORY, env=_clean(), **pipes) as process:
        output, errors = process.communicate(content)
    return subprocess.CompletedProcess(command, process.returncode, output.decode(), errors.decode())


def _stored(installation: Installation) -> int:
    with closing(sqlite3.connect(installation.data / "history.sqlite3")) as database:
        count: int = database.execute("SELECT count(*) FROM activities").fetchone()[0]
        return count


def _only_line(service: Service) -> str:
    """What it said for people; the rest are log entries, none of them an error."""
    (line,) = [entry["event"] for entry in service.log if "level" not in entry]
    assert not [entry for entry in service.log if entry.get("level") in ("error", "warning")]
    assert isinstance(line, str)
    assert line.startswith("marquee: ")
    return line
