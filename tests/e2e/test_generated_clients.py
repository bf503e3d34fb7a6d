"""Clients that others' tools make of the OpenAPI document take the whole tour, and two judges have nothing to say.

`make client-tools` installs the tools, in the versions of tests/data/clients, into .tools.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.conftest import DEMO, recorded
from tests.support.service import REPOSITORY, Installation
from tests.support.service_access import bearer, first_admin_key, send
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(400)]

CLIENTS = REPOSITORY / "tests" / "data" / "clients"
PYTHON = REPOSITORY / ".tools" / "python" / "bin"
NODE = REPOSITORY / ".tools" / "node_modules"
STRICT = ("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2022")


class Site(NamedTuple):
    url: str
    key: str
    document: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Installation(recorded("demo", str(DEMO / "response_{}.xml"))) as installation:
        service = installation.run()
        key = first_admin_key(service)
        until(lambda: len(service.search()) == 4)
        document = tmp_path_factory.mktemp("document") / "openapi.json"
        document.write_bytes(send(service, "GET", "/openapi.json", None, bearer(key)).body)
        yield Site(service.url or "", key, document)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a tool to its end; one that is missing skips the test, and fails it in CI."""
    program = shutil.which(str(command[0]))
    if program is None:
        reason = f"{command[0]} is missing: `make client-tools` installs it, where Java and Node.js are there"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    path = os.pathsep.join((str(PYTHON), os.environ["PATH"]))
    variables = {**os.environ, "PATH": path, "REDOCLY_TELEMETRY": "off", **environment}
    done = subprocess.run(
        [program, *map(str, command[1:])],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
    return f"{done.stdout}{done.stderr}"


def a_whole_tour(said: str) -> bool:
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    assert len(found.pop("plans")) == 4
    assert found == {
        "same_plan": True,
        "providers": ["demo"],
        "posted": [2, 0],
        "sum": 1.5,
        "user": True,
        "changes": True,
    }
    return True


def test_a_client_by_openapi_python_client_takes_the_tour(site: Site, tmp_path: Path) -> None:
    made = ("generate", "--path", site.document, "--output-path", tmp_path / "marquee_client", "--meta", "none")

    said = run(PYTHON / "openapi-python-client", *made, cwd=tmp_path)

    assert "WARNING" not in said.upper(), said
    assert a_whole_tour(
        run(PYTHON / "python", CLIENTS / "tour_attrs.py", site.url, site.key, cwd=tmp_path, PYTHONPATH=".")
    )


def test_a_client_by_openapi_generator_takes_the_tour(site: Site, tmp_path: Path) -> None:
    made = ("generate", "-g", "python", "-i", site.document, "-o", tmp_path, "--package-name", "marquee_client")

    run(PYTHON / "openapi-generator-cli", *made, cwd=tmp_path)

    tour = (PYTHON / "python", CLIENTS / "tour_pydantic.py", site.url, site.key)
    assert a_whole_tour(run(*tour, cwd=tmp_path, PYTHONPATH="."))


def test_a_client_by_openapi_typescript_is_strictly_typed_and_takes_the_tour(site: Site, tmp_path: Path) -> None:
    rules = ("--redocly", CLIENTS / "redocly.yaml")
    run(NODE / ".bin" / "openapi-typescript", site.document, "-o", tmp_path / "schema.d.ts", *rules, cwd=tmp_path)
    shutil.copy(CLIENTS / "tour.ts", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(NODE)

    run(NODE / ".bin" / "tsc", *STRICT, "--module", "nodenext", "tour.ts", cwd=tmp_path)

    assert a_whole_tour(run("node", "tour.js", site.url, site.key, cwd=tmp_path))


def test_redocly_has_nothing_to_say(site: Site, tmp_path: Path) -> None:
    said = run(NODE / ".bin" / "redocly", "lint", "--config", CLIENTS / "redocly.yaml", site.document, cwd=tmp_path)

    assert "Your API description is valid" in said
    assert "warning" not in said


def test_spectral_has_nothing_to_say(site: Site, tmp_path: Path) -> None:
    rules = ("--ruleset", CLIENTS / "spectral.yaml", "--fail-severity", "hint")

    said = run(NODE / ".bin" / "spectral", "lint", *rules, site.document, cwd=tmp_path)

    assert "No results with a severity of 'hint' or higher found!" in said
