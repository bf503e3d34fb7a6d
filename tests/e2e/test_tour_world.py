"""The second tour of doc/tour.md, from a user to a signed webhook, and its further commands, each in a shell."""

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import DEMO, RESPONSES, recorded
from tests.processes.loaded import MAIN, START, LoadedPopen, use_loaded_process
from tests.support.service import REPOSITORY, Installation, Service
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]

PAGE = (REPOSITORY / "doc" / "tour.md").read_text(encoding="utf-8")
TOUR = PAGE.partition("\n## Tell the world\n")[2].partition("\n## ")[0]
STEPS = re.findall(r"```sh\n([^`]+?)\n```\n(?:\n```(?:json|text)\n(.+?)\n```)?", TOUR, re.DOTALL)
HEARD = re.search(r"And there it says:\n\n```text\n(.+?)\n```", TOUR, re.DOTALL)
MORE = PAGE.partition("\n## More commands\n")[2].partition("\n## ")[0]
FURTHER = [line for block in re.findall(r"```sh\n(.+?)\n```", MORE, re.DOTALL) for line in block.splitlines()]
LISTEN = "webhooks listen"
CURL = Path(__file__).parents[1] / "support" / "curl.py"
MARQUEE = Path(__file__).parents[1] / "processes" / "marquee.py"

VARYING = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}": "AN-ID",  # not those of plans, which stay (v5)
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3})?Z(?!\",\"ends_at|\",\s*\"plan)": "AN-INSTANT",
    r"whsec_\S+": "A-SECRET",
    r"\(\d+ ms\)": "(SOON)",
    r"plan-1-[0-9a-f]{16}": "A-FACT",
    r"\b1-[0-9a-f]{8}\"": 'A-CURSOR"',
    r"127\.0\.0\.1:\d+": "HERE",
}


class Shell:
    """A terminal at the root of the repository, but for the installation and the port of a test's own."""

    def __init__(self, installation: Installation, service: Service) -> None:
        self.service = service
        self._variables: dict[str, str] = {}
        self._ports = {"127.0.0.1:8000": (service.url or "").removeprefix("http://"), "127.0.0.1:9000": _free_address()}
        use_loaded_process()
        loaded = (sys.executable, str(MARQUEE), LoadedPopen.address or "")
        marquee = shlex.join((*loaded, "--config", str(installation.config)))
        self._started = shlex.join((*START, MAIN, "--config", str(installation.config)))
        self._commands = {".venv/bin/marquee": marquee, "curl ": f"{shlex.join((sys.executable, str(CURL)))} "}

    def start(self, command: str, output: Path) -> "subprocess.Popen[bytes]":
        """Start what goes on until it is ended: a process of its own, for a loaded one's fork hears of no signal."""
        own = self._mine(command.replace(".venv/bin/marquee", self._started))
        with output.open("wb") as file:
            return subprocess.Popen(("bash", "-c", f"exec {own}"), cwd=REPOSITORY, stdout=file)

    def run(self, command: str) -> str:
        variable, assigns, rest = command.partition("=$(")
        mine = self._mine(rest.removesuffix(")") if assigns else command)
        done = subprocess.run(
            ("bash", "-c", mine), cwd=REPOSITORY, env=self._environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
        if assigns:
            self._variables[variable] = done.stdout.strip()
            return ""
        return done.stdout

    def _mine(self, command: str) -> str:
        for there, here in (self._commands | self._ports).items():
            command = command.replace(there, here)
        return command

    def _environment(self) -> Mapping[str, str]:
        return {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "PYTHONUNBUFFERED": "1", **self._variables}


def all_is_told(service: Service) -> bool:
    """Whether whoever listens from now on hears of nothing that has happened already."""
    events = service.ask("/metrics").json["events"]
    happened = len(service.ask("/catalog/changes").json["changes"])
    happened += sum(events[f"users.{change}"] for change in ("created", "updated", "deleted"))
    return bool(events["events.published"] == happened)


@pytest.fixture
def shell() -> Iterator[tuple[Shell, Path]]:
    with Installation(recorded("demo", str(DEMO / "response_{}.xml"))) as installation:
        service = installation.run()
        until(lambda: len(service.ask("/catalog/providers/demo/runs").json) == len(RESPONSES))
        until(lambda: len(service.ask("/catalog/changes").json["changes"]) == 10)
        yield Shell(installation, service), installation.directory


def test_the_commands_lead_from_a_user_to_a_signed_webhook(shell: tuple[Shell, Path]) -> None:
    terminal, directory = shell
    heard = directory / "heard"
    listener = None
    assert len(STEPS) == 9
    assert HEARD

    try:
        for command, shown in STEPS:
            if "webhooks add" in command:
                until(lambda: all_is_told(terminal.service))
            if LISTEN in command:
                listener = terminal.start(command, heard)
                until(lambda: "listening" in heard.read_text())
            else:
                assert _lines(terminal.run(command)) == _lines(shown) or not shown, command
        until(lambda: _lines(heard.read_text()) == _lines(HEARD[1]))
    finally:
        if listener:
            listener.terminate()
            listener.wait(10)


def test_every_further_command_does_its_work(shell: tuple[Shell, Path]) -> None:
    terminal, _ = shell
    assert len(FURTHER) == 27

    for command in FURTHER:
        terminal.run(command.partition("  #")[0].strip())


def _lines(text: str) -> list[str]:
    """What does not change from run to run; JSON without the line breaks that make it readable."""
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    if text.startswith("{"):
        text = re.sub(r"\n\s*", "", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
