"""The whole OpenAPI document against a running service: what it promises is what it does, and nothing is a 5xx."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import DEMO, recorded
from tests.support.service import Installation, Service
from tests.support.service_access import bearer, first_admin_key, json_of, send
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(400)]

SETTINGS = Path(__file__).parents[1] / "data" / "schemathesis"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "25")
"""Of each operation and phase; the whole takes a minute or so."""
SEED = os.environ.get("MARQUEE_SCHEMATHESIS_SEED", "11")
"""The same each time, unless somebody looks for more; it is printed."""


def what_is_there(service: Service, admin: dict[str, str]) -> dict[str, list[str]]:
    """Make some of everything that a path can name, and list it."""
    for kind in ("view", "buy"):
        assert send(service, "POST", "/events", {"type": kind}, admin).status == 202
    until(lambda: len(json_of(send(service, "GET", "/stats", None, admin))) == 2)
    users = [
        json_of(send(service, "POST", "/users", {"username": name, "email": f"{name}@example.com"}, admin), 201)["id"]
        for name in ("ana", "olga")
    ]
    key = json_of(send(service, "POST", f"/users/{users[1]}/keys", {}, admin), 201)
    plans = [str(plan["id"]) for plan in service.search()]
    hooks = [f"hook-{number}" for number in range(3)]
    for hook in hooks:
        json_of(send(service, "POST", "/webhooks", {"name": hook, "url": "http://127.0.0.1:9/"}, admin), 201)
    made = {"users": users[:1], "owners": users[1:], "keys": [key["id"]], "webhooks": hooks}
    return {"plans": plans, "types": ["view", "buy"], **made}


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with Installation(recorded("demo", str(DEMO / "response_{}.xml"))) as installation:
        service = installation.run()
        admin = bearer(first_admin_key(service))
        until(lambda: len(service.search()) > 0)
        (own_user,) = (user["id"] for user in json_of(send(service, "GET", "/users", None, admin)))
        shutil.copytree(SETTINGS, tmp_path, dirs_exist_ok=True)
        there = what_is_there(service, admin)
        for name, values in there.items():
            (tmp_path / f"{name}.dict").write_text("\n".join(map(json.dumps, values)))
        users = {"ADMIN": own_user, "OWNER": there["owners"][0], "ANOTHER": there["users"][0]}
        command = (
            *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{service.url}/openapi.json"),
            *("--header", f"Authorization: {admin['Authorization']}", "--checks", "all", "--max-examples", EXAMPLES),
            *("--seed", SEED, "--phases", "examples,coverage,fuzzing", "--request-timeout", "10", "--no-color"),
        )

        found = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | users,
            capture_output=True,
            text=True,
            timeout=380,
            check=False,
        )

        print(f"MARQUEE_SCHEMATHESIS_SEED={SEED}")  # noqa: T201 - what a random one has found is asked for again by it
        assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
        assert service.ask("/health/ready").status == 200
        assert send(service, "GET", "/users", None, admin).status == 200, "all of it may have been refused as a 401"
