"""The tracker that is served is what terser makes of its source, and tsc knows its types.

`make client-tools` installs both, in the versions of tests/data/clients, into .tools.
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.inbound.http.tracker.tracker_router import FILES, tracker_router
from tests.support.raw_client import connected, on_uvloop, served
from tests.support.service import REPOSITORY

TOOLS = REPOSITORY / ".tools" / "node_modules" / ".bin"
SHOP = REPOSITORY / "tests" / "data" / "clients" / "shop.ts"
STRICT = ("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2022", "--noEmit")


def run(tool: str, *arguments: str | Path) -> str:
    """Run a tool to its end; one that is missing skips the test, and fails it in CI."""
    program = shutil.which(str(TOOLS / tool))
    if program is None:
        reason = f"{tool} is missing: `make client-tools` installs it, where Node.js is there"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_served_script_is_what_terser_makes_of_its_source() -> None:
    made = run("terser", FILES / "tracker.js", *recipe())

    assert made.rstrip("\n") == (FILES / "marquee.js").read_text().rstrip("\n"), "run `make tracker`"


def recipe() -> list[str]:
    """Read from the Makefile how it is made."""
    makefile = (REPOSITORY / "Makefile").read_text()
    [line] = [line for line in makefile.splitlines() if line.strip().startswith(".tools/node_modules/.bin/terser")]
    options = line.partition("tracker.js ")[2].partition(" --output")[0]
    return shlex.split(options)


@pytest.mark.slow
@pytest.mark.faults
def test_a_shop_in_strict_typescript_is_told_what_it_may_do() -> None:
    assert run("tsc", *STRICT, FILES / "marquee.d.ts", SHOP) == ""


def test_the_server_says_one_thing_about_who_may_embed_what() -> None:
    api = create_api([tracker_router()], "test")
    policies: dict[str, list[bytes]] = {}

    async def check() -> None:
        async with served(api, timeout_protocol(ConnectionLimits(linger=0.3))) as port:
            for path in ("/marquee.js?v=2", "/marquee.d.ts", "/nothing"):
                async with connected(port) as client:
                    await client.send(b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path.encode())
                    head = (await client.rest()).partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
                policies[path] = [line for line in head if line.startswith((b"cross-origin", b"x-content"))]

    on_uvloop(check)

    nosniff = b"x-content-type-options: nosniff"
    ours, theirs = (b"cross-origin-resource-policy: " + policy for policy in (b"same-origin", b"cross-origin"))
    assert {path: sorted(found) for path, found in policies.items()} == {
        "/marquee.js?v=2": [theirs, nosniff],
        "/marquee.d.ts": [theirs, nosniff],
        "/nothing": [ours, nosniff],
    }
