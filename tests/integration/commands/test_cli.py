"""The command line as its users meet it: what is printed, on which stream, and with which exit code."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.support.feed_files import FeedServer, a_feed, an_item, some_items
from tests.support.redis_server import RedisServer
from tests.support.service import COMMAND, REPOSITORY, Installation, started

pytestmark = pytest.mark.redis_server

BAD_LINE = 3
"""Where the unusable item stands in `FEED`."""
FEED = a_feed([an_item(1), "\n", an_item(2, starts="2021-09-31T20:00:00", ends="2021-09-31T21:00:00"), an_item(3)])
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as redis:
        yield redis


@contextmanager
def an_installation(redis: RedisServer) -> Iterator[Installation]:
    """`acme` has two good items and a bad one; `cut` ends in the middle; `off` is disabled."""
    with Installation() as installation:
        acme, cut = installation.write("acme.xml", FEED), installation.write("cut.xml", FEED[: FEED.index('"3"')])
        installation.configure(
            {"name": "acme", "url": acme},
            {"name": "cut", "url": cut, "interval": 0.5},
            {"name": "off", "url": acme, "enabled": False},
            redis={"url": redis.url},
        )
        yield installation


@pytest.fixture
def marquee(redis: RedisServer) -> Iterator[Installation]:
    """Nothing is known yet."""
    client = redis.client()
    client.flushall()
    client.close()
    with an_installation(redis) as installation:
        yield installation


@pytest.fixture(scope="module")
def synced() -> Iterator[Installation]:
    """All was synced, `acme` twice; for tests that only look."""
    with RedisServer() as redis, an_installation(redis) as installation:
        installation.command("sync")
        installation.command("sync", "acme")
        yield installation


def keys(redis: RedisServer) -> object:
    client = redis.client()
    try:
        return client.keys("*")
    finally:
        client.close()


def test_sync_by_name_reports_in_words_and_ends_with_0_when_applied_and_when_unchanged(marquee: Installation) -> None:
    first, second = marquee.command("sync", "acme"), marquee.command("sync", "acme")

    assert (first.returncode, second.returncode) == (0, 0)
    assert re.match(r"acme applied in \d+\.\d\d s\n", first.stdout)
    assert f"{len(FEED.encode())} bytes, 3 records; changed: 2 listed" in first.stdout.replace(",", "", 1)
    assert "rejected: 1 records; `marquee rejections acme` lists them" in first.stdout
    assert second.stdout.startswith("acme unchanged")
    assert "changed: -" in second.stdout


def test_sync_without_names_syncs_every_enabled_provider_and_ends_with_1_when_one_was_not_applied(
    marquee: Installation,
) -> None:
    done = marquee.command("sync")

    assert re.findall(r"^(\w+) (\w+) in", done.stdout, re.MULTILINE) == [("acme", "applied"), ("cut", "incomplete")]
    assert done.returncode == 1


def test_sync_of_a_disabled_provider_works_when_it_is_named(marquee: Installation) -> None:
    assert marquee.command("sync", "off").returncode == 0


def test_a_name_given_twice_is_synced_once(marquee: Installation) -> None:
    assert len(marquee.json_of("sync", "acme", "acme")) == 1


@pytest.mark.parametrize("command", ["sync", "runs", "rejections"])
def test_an_unknown_provider_is_told_with_those_that_there_are_and_exit_code_2(
    marquee: Installation, command: str
) -> None:
    done = marquee.command(command, "nobody")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "marquee: no provider is called 'nobody'; configured: acme, cut, off\n"


def test_a_dry_run_says_what_would_change_and_writes_nothing(marquee: Installation, redis: RedisServer) -> None:
    dry = marquee.command("sync", "acme", "--dry-run")
    written = keys(redis)
    wet = marquee.command("sync", "acme")

    assert dry.returncode == 0
    assert "(dry run: nothing was written)" in dry.stdout
    assert "would change: 2 listed" in dry.stdout
    assert written == []
    assert "changed: 2 listed" in wet.stdout


def test_json_of_a_sync_is_one_document_with_its_report(marquee: Installation) -> None:
    (report,) = marquee.json_of("sync", "acme")

    assert report.pop("run_id")
    assert report.pop("started_at").endswith("Z")
    assert 0 < report.pop("took") < 10
    assert report == {
        "provider": "acme",
        "outcome": "applied",
        "dry_run": False,
        "reason": None,
        "bytes": len(FEED.encode()),
        "records": 3,
        "changes": {"listed": 2},
        "waiting": {},
        "held_for": [],
        "rejected": 1,
        "rejected_for": {"invalid_date": 1},
        "ignored": {},
        "passed_over": 0,
        "settling": 0,
    }


def test_a_feed_that_breaks_says_where_and_that_nothing_was_withdrawn(marquee: Installation) -> None:
    (report,) = marquee.json_of("sync", "cut")

    assert report["outcome"] == "incomplete"
    assert f"{marquee.directory / 'cut.xml'}" in report["reason"]
    assert f"line {BAD_LINE}" in report["reason"]
    assert "nothing was withdrawn" in report["reason"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<html><body>down for maintenance</body></html>", "root eventList or planList"),
        ("<!DOCTYPE planList []><planList/>", "DOCTYPE"),
    ],
)
def test_a_document_that_is_no_feed_fails_with_its_url_and_what_was_expected(
    marquee: Installation, redis: RedisServer, document: str, expected: str
) -> None:
    with FeedServer(document) as feed:
        secret = feed.url.replace("http://", "http://me:s3cret@") + "?token=s3cret"
        marquee.configure(feed.provider("acme", url=secret), redis={"url": redis.url})

        done = marquee.command("sync", "acme")

        assert done.returncode == 1
        assert done.stdout.startswith("acme failed")
        assert feed.url in done.stdout
        assert expected in done.stdout
        assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ({"url": "file:///nowhere/to/be/found.xml"}, "/nowhere/to/be/found.xml: expected a file to read"),
        ({"url": "http://127.0.0.1:9/feed"}, "127.0.0.1 has the address 127.0.0.1, expected a public one"),
        ({"url": "http://127.0.0.1:9/feed", "allow_private_networks": True}, "http://127.0.0.1:9/feed"),
    ],
)
def test_a_feed_that_cannot_be_had_fails_with_where_and_what_was_expected(
    marquee: Installation, redis: RedisServer, provider: dict[str, object], words: str
) -> None:
    retry = {"attempts": 1}
    marquee.configure({"name": "acme", "retry": retry, **provider}, redis={"url": redis.url})

    done = marquee.command("sync", "acme")

    assert done.returncode == 1
    assert words in done.stdout


def test_providers_are_listed_in_a_table_and_as_json(synced: Installation) -> None:
    table, rows = synced.command("providers"), synced.json_of("providers")

    lines = [re.split(r"\s{2,}", line.strip()) for line in table.stdout.splitlines()]
    assert lines[0] == ["name", "kind", "every", "enabled", "last good sync", "last run", "circuit", "held"]
    assert lines[1] == ["cut", "plan-list-xml", "0.5 s", "yes", "never", "incomplete", "closed", "-"]
    assert lines[2][:4] == ["acme", "plan-list-xml", "60 s", "yes"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", lines[2][4])
    assert lines[3] == ["off", "plan-list-xml", "60 s", "no", "never", "none yet", "closed", "-"]
    assert [(row["name"], row["enabled"], row["waiting_for_approval"]) for row in rows] == [
        ("cut", True, False),
        ("acme", True, False),
        ("off", False, False),
    ], "the troubled come first"
    assert rows[1]["last_run"]["outcome"] == "unchanged"
    assert rows[2]["last_run"] is None


def test_runs_are_listed_newest_first_in_a_table_and_as_json(synced: Installation) -> None:
    table, rows = synced.command("runs", "acme"), synced.json_of("runs", "acme")
    newest = synced.json_of("runs", "acme", "--limit", "1")

    lines = [re.split(r"\s{2,}", line.strip()) for line in table.stdout.splitlines()]
    assert lines[0] == ["started", "took", "outcome", "bytes", "records", "changes", "waiting", "rejected", "why"]
    assert [(line[2], line[4], line[5], line[7]) for line in lines[1:]] == [
        ("unchanged", "0", "-", "0"),
        ("applied", "3", "2 listed", "1"),
    ]
    assert [row["outcome"] for row in rows] == ["unchanged", "applied"]
    assert newest == rows[:1]


def test_rejections_are_listed_with_line_reason_and_source_in_a_table_and_as_json(synced: Installation) -> None:
    table, rows = synced.command("rejections", "acme"), synced.json_of("rejections", "acme")

    (row,) = rows
    assert (row["line"], row["base_id"], row["item_id"], row["reason"]) == (BAD_LINE, "2", "2", "invalid_date")
    assert "2021-09-31T20:00:00" in row["message"]
    assert row["source"].startswith("<")
    line = table.stdout.splitlines()[1]
    assert re.match(rf"{BAD_LINE} +2 +2 +- +invalid_date +", line)
    assert (row["times"], row["mended_at"]) == (1, None)


def test_a_dry_run_lists_plans_beside_the_counts_and_a_hold_lists_what_waits(synced: Installation) -> None:
    synced.write("acme.xml", a_feed([]))

    (report,) = synced.json_of("sync", "acme", "--dry-run")
    assert (report["outcome"], report["waiting"]) == ("held", {"withdrawn": 2})
    assert [(plan["changes"], plan["after"]) for plan in report["plans"]] == [(["withdrawn"], None)] * 2
    assert synced.json_of("held", "acme")["total"] == 0
    assert "the gate holds nothing of acme" in synced.command("held", "acme").stdout

    synced.command("sync", "acme")
    held = synced.json_of("held", "acme")
    assert (held["total"], held["held_for"], len(held["plans"])) == (2, ["empty_feed"], 2)
    assert "`marquee sync acme --approve` applies them" in synced.command("held", "acme").stdout


@pytest.mark.parametrize("arguments", [("runs", "acme", "--limit", "0"), ("sync", "--perhaps")])
def test_a_wrong_use_of_a_command_is_told_with_exit_code_2(marquee: Installation, arguments: tuple[str, ...]) -> None:
    done = marquee.command(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("sync",), ("sync", "--json"), ("providers",), ("runs", "acme"), ("rejections", "acme")]
)
def test_what_is_piped_has_no_escape_codes(synced: Installation, arguments: tuple[str, ...]) -> None:
    done = synced.command(*arguments)

    assert done.stdout
    assert ESCAPE not in done.stdout + done.stderr


def test_on_a_terminal_a_sync_shows_its_progress_there_and_pipes_a_clean_report(
    marquee: Installation, redis: RedisServer
) -> None:
    with FeedServer(a_feed(some_items(100))) as feed:
        marquee.configure(feed.provider("acme"), redis={"url": redis.url})

        report, shown = sync_on_a_terminal(marquee)

    assert report.startswith("acme applied")
    assert ESCAPE not in report
    assert ESCAPE in shown
    assert "acme" in shown


def sync_on_a_terminal(marquee: Installation) -> tuple[str, str]:
    """Run `sync acme` with a terminal as its standard error, and return its output and what the terminal got."""
    ours, theirs = pty.openpty()
    command = (*COMMAND, "--config", str(marquee.config), "sync", "acme")
    environment = {**os.environ, "TERM": "xterm"}
    with started(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # so ends a terminal that nobody has open any more
            while piece := os.read(ours, 4096):
                shown += piece
        report = process.stdout.read() if process.stdout else b""
    os.close(ours)
    return report.decode(), shown.decode()


def test_a_redis_that_is_away_is_told_in_one_line_with_exit_code_1(marquee: Installation) -> None:
    marquee.configure({"name": "acme", "url": "file:///x"}, redis={"url": f"unix://{marquee.directory}/none.sock"})

    done = [marquee.command(*arguments) for arguments in (("providers",), ("sync",))]

    assert [command.returncode for command in done] == [1, 1]
    said = [done[0].stderr, done[1].stdout]
    assert all("cannot be reached" in text and "correct redis.url" in text for text in said)
    assert len(said[0].splitlines()) == 1


def test_mistakes_in_the_settings_end_every_command_with_exit_code_78(marquee: Installation) -> None:
    marquee.configure(service={"port": "many"})

    for arguments in (("sync",), ("providers",)):
        done = marquee.command(*arguments)

        assert (done.returncode, done.stdout) == (78, "")
        assert done.stderr.startswith(f"marquee: {marquee.config}: service.port: ")
        assert len(done.stderr.splitlines()) == 1


def test_a_redis_url_that_cannot_be_used_is_told_in_one_line_without_its_password(marquee: Installation) -> None:
    marquee.configure(redis={"url": "redis://me:s3cret/word@localhost:6379/0"})

    done = marquee.command("providers")

    assert done.returncode == 78
    assert re.fullmatch(r"marquee: .*redis\.url.*\n", done.stderr)
    assert "s3cret" not in done.stderr


def test_help_lists_the_commands_and_version_says_which_this_is(marquee: Installation) -> None:
    listed, version = marquee.command("--help"), marquee.command("version")

    assert all(f" {name} " in listed.stdout for name in ("run", "api", "scheduler", "sync", "providers", "runs"))
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", version.stdout)


def test_json_keeps_other_alphabets_as_they_are(marquee: Installation) -> None:
    bad = an_item("Ñ 1", starts="2021-02-30T00:00:00", ends="2021-03-01T00:00:00")
    marquee.write("acme.xml", a_feed([bad]))
    marquee.command("sync", "acme")

    printed = marquee.command("rejections", "acme", "--json").stdout

    assert "Ñ 1" in printed
    assert json.loads(printed)[0]["base_id"] == "Ñ 1"
