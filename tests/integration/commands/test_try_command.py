"""`marquee providers try`: what somebody sees who has a feed and nothing else; no Redis, no configuration."""

import asyncio
import gzip
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.feed_server import FeedServer, Request, answer
from tests.support.service import COMMAND, done
from tests.support.unknown_feeds import FOLDER


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder without a config.yaml."""
    return tmp_path


def tried(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    own = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return done([*COMMAND, "providers", "try", *arguments], cwd=folder, env={**own, **environment})


def test_it_says_what_the_feed_is_shows_plans_and_gives_an_entry_to_paste(nowhere: Path) -> None:
    trial = tried(nowhere, str(FOLDER / "csv_of_a_theatre.csv"), "--timezone", "Europe/Madrid")

    assert (trial.returncode, trial.stderr) == (0, "")
    assert "CSV with 8 columns, parted by semicolon" in trial.stdout
    assert "2026-05-23 23:30  2026-05-24 01:00  El faro dormido" in trial.stdout
    entry = yaml.safe_load("providers:" + trial.stdout.partition("\nproviders:")[2])
    assert entry["providers"][0]["options"]["fields"]["title"] == "Obra"
    assert list(nowhere.iterdir()) == []


def test_for_programs_it_is_one_document(nowhere: Path) -> None:
    trial = tried(nowhere, str(FOLDER / "rpde.json"), "--json", "--plans", "1")

    found = json.loads(trial.stdout)
    assert (found["format"], found["kind"], found["usable"], found["withdrawn"]) == ("json", "mapped", 2, 1)
    assert [(plan["title"], plan["starts"], plan["max_price"]) for plan in found["plans"]] == [
        ("Morning Rowing", "2026-05-01 04:00", 5.0)
    ]
    assert yaml.safe_load(found["entry"])["providers"][0]["options"] == found["options"]


def test_a_mapping_of_yours_is_taken_as_it_stands(nowhere: Path) -> None:
    mapping = nowhere / "mapping.yaml"
    mapping.write_text(
        "format: csv\ndelimiter: ;\nfields: {item_id: Numero, title: Sala, starts: {path: Fecha, format: '%d/%m/%Y'}}"
    )

    trial = tried(nowhere, str(FOLDER / "csv_of_a_theatre.csv"), "--mapping", "mapping.yaml", "--json")

    assert [plan["title"] for plan in json.loads(trial.stdout)["plans"]] == ["Sala Norte", "Sala Norte", "Sala Sur"]


def test_mistakes_of_a_mapping_are_told_in_a_line_each(nowhere: Path) -> None:
    mapping = nowhere / "mapping.yaml"
    mapping.write_text(
        "format: csv\nfeilds: {}\nfields: {item_id: Numero, titel: Obra, starts: {path: Fecha, format: often}}"
    )

    trial = tried(nowhere, str(FOLDER / "csv_of_a_theatre.csv"), "--mapping", "mapping.yaml")

    lines = trial.stderr.splitlines()
    assert trial.returncode == 78
    assert all(line.startswith("marquee: options.") for line in lines)
    assert [
        key for key in ("feilds", "fields.titel", "fields.title", "fields.starts.format") if key in trial.stderr
    ] == [
        "feilds",
        "fields.titel",
        "fields.title",
        "fields.starts.format",
    ]


def test_records_that_cannot_be_used_are_listed_with_why(nowhere: Path) -> None:
    feed = nowhere / "feed.csv"
    feed.write_text(
        "id,title,start\n" + "".join(f"{number},A,2026-05-0{number}\n" for number in range(1, 10)) + "10,B,someday\n"
    )

    trial = tried(nowhere, "feed.csv")

    assert trial.returncode == 0
    assert "rejected: 1 invalid date" in trial.stdout
    assert "someday" in trial.stdout.partition("Rejected:")[2]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("page.html", b"<!DOCTYPE html><html><body>Hello</body></html>", "HTML, a page for people"),
        ("sheet.xlsx", b"PK\x03\x04rest", "a spreadsheet"),
        ("fruits.json", b'{"fruits": [{"name": "apple"}, {"name": "pear"}]}', "understood as the start"),
    ],
)
def test_what_cannot_be_mapped_is_said_and_nothing_is_proposed(
    nowhere: Path, name: str, content: bytes, said: str
) -> None:
    (nowhere / name).write_bytes(content)

    trial = tried(nowhere, name)

    assert trial.returncode == 1
    assert said in trial.stdout
    assert "providers:" not in trial.stdout


def test_a_file_that_is_not_there_is_one_line(nowhere: Path) -> None:
    trial = tried(nowhere, "nothing.xml")

    assert trial.returncode == 1
    assert trial.stderr.count("\n") == 1
    assert "nothing.xml: expected a file to read" in trial.stderr


def test_a_packed_file_is_unpacked_and_only_the_beginning_of_a_long_one_is_looked_at(nowhere: Path) -> None:
    rows = "".join(f"{number},A plan of some length to fill the row,2026-05-01\n" for number in range(120_000))
    (nowhere / "feed").write_bytes(gzip.compress(f"id,title,start\n{rows}".encode()))

    found = json.loads(tried(nowhere, "feed", "--json").stdout)

    assert found["fetched_bytes"] < found["document_bytes"]
    assert found["looked_at_bytes"] == 4 * 1024 * 1024
    assert not found["is_whole"]
    assert len(found["plans"]) == 10


def test_a_dialect_of_ours_needs_no_mapping(nowhere: Path) -> None:
    found = json.loads(tried(nowhere, str(FOLDER.parent / "dialect_a_1.xml"), "--json").stdout)

    assert (found["kind"], found["options"]) == ("plan-list-xml", {})
    assert found["usable"] > 0


def test_a_url_is_asked_with_headers_and_what_is_secret_is_never_said_again(nowhere: Path) -> None:
    asked: list[Request] = []

    async def noted(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        await answer(body=(FOLDER / "attributes_only.xml").read_bytes())(request, writer)

    with FeedServer(noted) as server:
        header = ("--header", "Authorization: Bearer ${TOKEN}", "--header", "X-Key: opensesame")
        trial = tried(nowhere, f"{server.url}?format=xml&api_key=hush", *header, TOKEN="shibboleth")

    assert {request.headers["authorization"] for request in asked} == {"Bearer shibboleth"}
    [entry] = yaml.safe_load("providers:" + trial.stdout.partition("\nproviders:")[2])["providers"]
    assert entry["headers"] == {"Authorization": "Bearer ${TOKEN}", "X-Key": "${X_KEY}"}
    assert entry["url"].endswith("?format=xml&api_key=...")
    assert entry["allow_private_networks"] is True
    assert not any(secret in trial.stdout + trial.stderr for secret in ("shibboleth", "opensesame", "hush"))


def test_a_variable_that_is_not_set_is_named(nowhere: Path) -> None:
    trial = tried(nowhere, "http://127.0.0.1:1/feed", "--header", "Authorization: Bearer ${TOKEN}")

    assert trial.returncode == 78
    assert "TOKEN" in trial.stderr
