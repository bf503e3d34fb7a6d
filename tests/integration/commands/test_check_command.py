"""`marquee init` and `marquee check`, as their users meet them."""

import asyncio
import json
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from app.adapters.inbound.cli.check_command import add_check_command
from app.adapters.inbound.cli.init_command import add_init_command
from app.application.check_installation import Check, CheckInstallation, Finding
from app.infrastructure.checks.installation import checked_installation
from app.infrastructure.checks.machine import package_finding
from app.infrastructure.checks.threads import in_thread
from app.infrastructure.settings.configuration import load_settings
from app.infrastructure.settings.reference_configuration import reference_configuration
from tests.support.feed_server import FeedServer, answer
from tests.support.postgres import postgres_database
from tests.support.redis_server import RedisServer
from tests.support.service import COMMAND, REPOSITORY, done

OK = 0


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def init(*arguments: str) -> Result:
    cli = typer.Typer()
    add_init_command(cli, reference_configuration)
    return CliRunner().invoke(cli, arguments)


def check(file: Path | None, *arguments: str) -> Result:
    cli = typer.Typer()
    add_check_command(cli, lambda: checked_installation(file))
    return CliRunner().invoke(cli, arguments)


def found(file: Path | None) -> dict[str, list[dict[str, str]]]:
    told: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(check(file, "--json").stdout)["findings"]:
        told.setdefault(finding["subject"], []).append(finding)
    return told


def only(file: Path, subject: str) -> tuple[str, str]:
    (finding,) = found(file)[subject]
    return finding["verdict"], f"{finding['found']}: {finding['remedy']}"


def configured(folder: Path, **sections: Any) -> Path:
    file = folder / "config.yaml"
    file.write_text(json.dumps({"service": {"port": 0}, **sections}))  # JSON is YAML
    return file


def provider(**said: Any) -> dict[str, Any]:
    return {"providers": [{"name": "acme", **said}]}


def test_init_writes_the_whole_reference_which_loads_and_whose_demo_is_there(here: Path) -> None:
    done = init()

    settings = load_settings(here / "config.yaml")
    assert (done.exit_code, (here / "config.yaml").read_text()) == (OK, (REPOSITORY / "config.yaml").read_text())
    assert "`marquee check`" in done.stdout
    assert "`marquee run`" in done.stdout
    assert settings.service.data_dir == here / ".marquee"
    assert [file.is_file() for file in settings.providers[0].files] == [True, True, True]


def test_init_overwrites_nothing(here: Path) -> None:
    (here / "config.yaml").write_text("mine")

    done = init()

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "marquee: config.yaml exists and stays as it is; name another folder, or move it away\n"
    assert (here / "config.yaml").read_text() == "mine"


def test_init_makes_the_folder_that_it_is_told(here: Path) -> None:
    done = init("new/folder")
    (here / "file").touch()
    impossible = init("file/folder")

    assert (here / "new/folder/config.yaml").is_file()
    assert "`marquee --config new/folder/config.yaml run`" in done.stdout
    assert impossible.exit_code == 1
    assert impossible.stderr.startswith("marquee: file/folder/config.yaml cannot be written: ")


def test_a_new_installation_is_good_and_a_check_leaves_nothing_behind(here: Path) -> None:
    init()
    (here / "config.yaml").write_text((here / "config.yaml").read_text().replace("port: 8000", "port: 0"))

    done = check(here / "config.yaml")

    lines = done.stdout.splitlines()
    assert done.exit_code == OK
    assert {line.split()[0] for line in lines} <= {"ok", "warning"}
    assert [line.split()[1] for line in lines if line.startswith("ok")] == [
        *("configuration:", "python:", "package:", "tzdata:", "service.data_dir:", "service.port:"),
        *("redis:", "database:", "providers.demo:"),
    ]
    assert list(here.iterdir()) == [here / "config.yaml"]


def test_without_a_file_the_defaults_are_checked_and_that_is_said(here: Path) -> None:
    (finding,) = found(None)["configuration"]

    assert (finding["verdict"], finding["remedy"]) == (
        "warning",
        "`marquee init` writes one, --config names another",
    )
    assert str(here) in finding["found"]


def test_every_mistake_of_the_settings_is_a_problem_of_its_own(here: Path) -> None:
    file = configured(here, service={"port": "many"}, redis={"fsync": "never"})

    done = check(file)

    problems = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert done.exit_code == 1
    assert ["service.port" in problems[0], "redis.fsync" in problems[1], len(problems)] == [True, True, 2]
    assert "python: " in done.stdout


def test_a_port_that_is_taken_is_told(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        verdict, words = only(configured(here, service={"port": port}), "service.port")

    assert verdict == "warning"
    assert f"127.0.0.1:{port} cannot be listened on" in words
    assert "if that is Marquee, all is well" in words


def test_a_data_folder_that_others_read_or_that_is_a_file_is_told(here: Path) -> None:
    (here / "open").mkdir(mode=0o755)
    (here / "open").chmod(0o755)
    (here / "file").touch()

    readable = found(configured(here, service={"data_dir": "open"}))["service.data_dir"]
    no_folder = only(configured(here, service={"data_dir": "file/data"}), "service.data_dir")

    assert readable[1]["found"] == f"others may look into {here / 'open'} (0755)"
    assert readable[1]["remedy"] == f"chmod go= {here / 'open'}"
    assert no_folder[0] == "problem"
    assert "is no folder" in no_folder[1]


@pytest.mark.redis_server
def test_a_redis_is_asked_what_it_is_and_does(here: Path) -> None:
    with RedisServer() as server:
        client = server.client()
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        client.config_set("save", "")
        client.close()

        findings = found(configured(here, redis={"url": server.url}))["redis"]

    assert [one["verdict"] for one in findings] == ["ok", "warning", "warning"]
    assert "version" in findings[0]["found"]
    assert "allkeys-lru" in findings[1]["found"]
    assert findings[1]["remedy"].startswith("set maxmemory-policy to noeviction")
    assert findings[2]["remedy"] == "set appendonly to yes"


@pytest.mark.redis_server
def test_a_replica_is_no_redis_to_work_with(here: Path) -> None:
    with RedisServer() as server:
        client = server.client()
        client.replicaof("127.0.0.1", "1")
        client.close()

        findings = found(configured(here, redis={"url": server.url}))["redis"]

    assert ("problem", "point redis.url at the primary") in [(one["verdict"], one["remedy"]) for one in findings]


def test_stores_that_are_away_are_problems_without_their_passwords(here: Path) -> None:
    file = configured(
        here,
        redis={"url": "redis://me:s3cret@127.0.0.1:1/0"},
        database={"url": "postgresql://me:s3cret@127.0.0.1:1/events"},
    )

    done = check(file)

    assert done.exit_code == 1
    assert "s3cret" not in done.output
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("problem")] == [
        "redis:",
        "database:",
    ]


@pytest.mark.postgres
def test_a_database_says_what_migrate_would_do(here: Path) -> None:
    with postgres_database() as url:
        verdict, words = only(configured(here, database={"url": url}), "database")

    assert verdict == "problem"
    assert "has no schema yet: run `marquee migrate`" in words


@pytest.mark.parametrize(
    ("revision", "verdict", "words"),
    [
        ("0001", "warning", "brings it to"),
        ("9999", "problem", "run the version that made it"),
        (None, "ok", "empty"),
    ],
)
def test_the_embedded_database_is_read_without_a_trace(
    here: Path, revision: str | None, verdict: str, words: str
) -> None:
    file = configured(here)
    (here / ".marquee").mkdir(mode=0o700)
    history = here / ".marquee/history.sqlite3"
    with sqlite3.connect(history) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        if revision:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
    connection.close()

    told = only(file, "database")

    assert told[0] == verdict
    assert words in told[1]
    assert [path.name for path in history.parent.iterdir()] == ["history.sqlite3"]


def test_a_file_that_is_no_database_is_told(here: Path) -> None:
    file = configured(here)
    (here / ".marquee").mkdir()
    (here / ".marquee/history.sqlite3").write_text("something else, long enough to be read as a header" * 20)

    verdict, words = only(file, "database")

    assert (verdict, "file is not a database" in words) == ("problem", True)


class Answering(BaseHTTPRequestHandler):
    """`/feed` is there, `/moved` leads to it, nothing else is."""

    def do_GET(self) -> None:
        status = {"/feed": 200, "/moved": 302}.get(self.path.partition("?")[0], 404)
        self.send_response(status)
        self.send_header("location", "/feed")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep it."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()


@pytest.mark.parametrize(
    ("path", "verdict", "words"),
    [
        ("/feed", "ok", "/feed answers"),
        ("/moved?token=s3cret", "ok", "/moved?token=... answers"),
        ("/gone", "problem", "expected 200, found 404"),
    ],
)
def test_a_providers_server_is_asked_as_for_a_fetch(
    here: Path, server: str, path: str, verdict: str, words: str
) -> None:
    file = configured(here, **provider(url=server + path, allow_private_networks=True))

    told = only(file, "providers.acme")

    assert (told[0], words in told[1]) == (verdict, True)
    assert "s3cret" not in told[1]


def test_a_providers_server_is_asked_with_the_configured_headers(here: Path) -> None:
    with FeedServer(answer(200)) as server:
        headers = {"Authorization": "Bearer s3cret"}
        file = configured(here, **provider(url=server.url, allow_private_networks=True, headers=headers))

        verdict, words = only(file, "providers.acme")

        assert server.requests[0].headers["authorization"] == "Bearer s3cret"
    assert (verdict, "s3cret" in words) == ("ok", False)


def test_an_address_that_a_fetch_may_not_reach_a_check_does_not_either(here: Path, server: str) -> None:
    verdict, words = only(configured(here, **provider(url=f"{server}/feed")), "providers.acme")

    assert verdict == "problem"
    assert "expected a public one" in words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"url": "file:///nowhere.xml"}, "/nowhere.xml: cannot be read: No such file or directory"),
        ({"url": "file:///etc"}, "/etc: cannot be read: it is no regular file"),
        ({"kind": "recorded", "files": ["none.xml"]}, "none.xml: cannot be read"),
        ({"kind": "no_such_module:Class", "url": "x"}, "no_such_module"),
    ],
)
def test_files_and_modules_that_are_not_there_are_problems(here: Path, said: dict[str, Any], words: str) -> None:
    verdict, told = only(configured(here, **provider(**said)), "providers.acme")

    assert verdict == "problem"
    assert words in told


def test_the_collector_and_the_issuer_are_asked(here: Path, server: str) -> None:
    jwt = {"issuer": server, "audience": "x", "jwks_url": f"{server}/keys", "allow_private_networks": True}
    file = configured(here, telemetry={"otlp_endpoint": server}, security={"jwt": jwt})

    ended = done((*COMMAND, "--config", str(file), "check", "--json"))
    told = {one["subject"]: [one] for one in json.loads(ended.stdout)["findings"]}

    assert (ended.returncode, ended.stderr) == (1, "")
    assert told["telemetry.otlp_endpoint"][0]["found"].endswith("answers (404 to a GET)")
    assert told["security.jwt.jwks_url"][0]["verdict"] == "problem"


def test_another_distribution_that_has_an_app_is_told() -> None:
    ours, theirs = package_finding(["marquee-events"]), package_finding(["marquee-events", "theirs"])

    assert ours.verdict == "ok"
    assert (theirs.verdict, theirs.found) == ("problem", "`app` is also a part of theirs")
    assert "pipx" in theirs.remedy


def test_what_blocks_for_ever_keeps_no_check_from_ending() -> None:
    held = threading.Event()

    def blocked() -> list[Finding]:
        held.wait()
        return []

    checks = [Check("disk", lambda: in_thread(blocked))]

    (finding,) = asyncio.run(CheckInstallation(checks=checks, timeout=0.05)())

    assert (finding.subject, finding.verdict, finding.found) == ("disk", "problem", "no answer within 0.05 s")
    assert not held.is_set()
    held.set()
