"""Undo and forget, by the commands, beside a running service: figures are those of what is left."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.postgres import postgres_database
from tests.support.service import Installation, Service
from tests.support.service_activities import counted
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.faults, pytest.mark.timeout(180)]

FILE = "id,type,occurred_at,user_id,value\n" + "".join(
    f"{number:032x},purchase,2026-01-{number % 28 + 1:02d}T12:00:00Z,u{number % 7},{number}.50\n"
    for number in range(1, 101)
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    if request.param == "sqlite":
        with Installation(activity={"workers": 1}) as made:
            yield made
        return
    with postgres_database() as url, Installation(database={"url": url}, activity={"workers": 2}) as made:
        assert made.command("migrate").returncode == 0
        yield made


def posted(service: Service, *activities: dict[str, str]) -> int:
    assert service.url
    with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=30)) as connection:
        body = json.dumps({"events": list(activities)}).encode()
        connection.request("POST", "/events/batch", body, {"Content-Type": "application/json"})
        return connection.getresponse().status


def did(number: int, user: str) -> dict[str, str]:
    return {"id": f"{number:032x}", "type": "view", "occurred_at": "2026-01-05T10:00:00Z", "user_id": user}


def test_an_import_is_undone_and_comes_again_and_somebody_is_forgotten_for_good(
    installation: Installation, tmp_path: Path
) -> None:
    service = installation.run()
    file = str(tmp_path / "some.csv")
    Path(file).write_text(FILE, encoding="utf-8")
    assert installation.command("import", file).returncode == 0
    assert posted(service, did(1_001, "ana"), did(1_002, "u3")) in {200, 202}
    until(lambda: counted(service) == 102)

    undone = installation.json_of("imports", "undo", "1", "--yes")

    assert (undone["removed"], undone["ids_free"], undone["import"]["state"]) == (100, True, "undone")
    assert counted(service) == 2
    assert installation.command("stats", "verify").returncode == 0
    assert installation.json_of("import", file)["stored"] == 100
    assert counted(service) == 102

    backup = tmp_path / "backup"
    assert installation.command("backup", str(backup)).returncode == 0
    assert installation.json_of("forget", "--user", "u3", "--yes")["activities"] == 15

    assert counted(service) == 87
    assert installation.command("stats", "verify").returncode == 0
    assert posted(service, did(1_002, "u3"), did(1_003, "u3")) in {200, 202}  # a late copy, and something new
    until(lambda: counted(service) == 88)
    service.end()
    if (installation.data / "history.sqlite3").exists():  # into PostgreSQL a restore needs an empty database
        restored = installation.command("restore", str(backup), "--force")
        assert "15 activities that had been forgotten are forgotten again" in restored.stdout, restored.stderr
        assert counted(installation.run()) == 87
        assert installation.command("stats", "verify").returncode == 0
