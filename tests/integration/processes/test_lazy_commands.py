"""What a command loads, what the list of commands says of it, and the options that all commands have."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from app.infrastructure.commands.command_table import COMMANDS
from app.infrastructure.commands.lazy_commands import LazyCommand
from tests.support.service import COMMAND, COMMAND_SECONDS, REPOSITORY, done

HEAVY = frozenset(
    [
        "alembic",
        "asyncio",
        "dependency_injector",
        "fastapi",
        "httpx",
        "isal",
        "joserfc",
        "lxml",
        "msgspec",
        "prometheus_client",
        "psycopg",
        "pybreaker",
        "pydantic",
        "pydantic_settings",
        "redis",
        "sqlalchemy",
        "starlette",
        "structlog",
        "tenacity",
        "throttled",
        "uvicorn",
        "uvloop",
        "yaml",
    ]
)


def loaded_by(*arguments: str) -> set[str]:
    """The modules that are there when a command has ended."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + ' '.join(sys.modules)))\n"
        f"sys.argv = ['marquee', *{arguments!r}]\n"
        "from app.infrastructure.main import main\n"
        "main()\n"
    )
    ended = subprocess.run(
        (sys.executable, "-P", "-c", program),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=True,
    )
    return set(ended.stderr.rsplit("\n", 1)[1].split())


@pytest.mark.parametrize("asked", ["--help", "-h", "--version"])
def test_what_needs_no_settings_loads_no_library_but_that_of_the_command_line(asked: str) -> None:
    loaded = loaded_by(asked)

    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("app.domain", "app.application", "app.adapters"))}


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_list_of_commands_says_what_the_help_of_each_says_first(entry: LazyCommand) -> None:
    command = entry.load()

    assert (command.name, " ".join(command.help.split("\n\n")[0].split())) == (entry.name, entry.help)
    assert command.hidden is entry.hidden


def marquee(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return done((*COMMAND, *arguments), env={**os.environ, **environment})


def every_command(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from every_command(below, *path, name)


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_and_group_takes_the_file_behind_its_name_once(entry: LazyCommand) -> None:
    command = entry.load()

    for _, *path in every_command(command, entry.name):
        found = command
        for name in path:
            found = found.commands[name]
        assert [parameter.opts for parameter in found.params].count(["--config"]) == 1, path


@pytest.mark.parametrize(
    "arguments",
    [
        ("--config", "FILE", "users", "list"),
        ("users", "--config", "FILE", "list"),
        ("users", "list", "--config", "FILE"),
        ("users", "list", "--config=FILE"),
        ("--config", "/other", "users", "list", "--config", "FILE"),
        ("--config", "FILE", "run"),
        ("run", "--config", "FILE"),
        ("migrate", "--config", "FILE"),
        ("keys", "create", "--config", "FILE", "ana"),
    ],
    ids=" ".join,
)
def test_the_file_may_be_named_before_and_behind_the_command_and_the_last_one_counts(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    file = str(tmp_path / "none.yaml")

    ended = marquee(*(part.replace("FILE", file) for part in arguments))

    assert (ended.returncode, ended.stdout) == (78, "")
    assert ended.stderr == f"marquee: {file}: cannot be read: No such file or directory\n"


def test_the_version_is_an_option_too() -> None:
    assert marquee("--version").stdout == marquee("version").stdout == f"{version('marquee-events')}\n"


@pytest.mark.parametrize("arguments", [(), ("stats",), ("stats", "totals"), ("run",)], ids=" ".join)
def test_h_asks_for_help_everywhere(arguments: tuple[str, ...]) -> None:
    asked, help_ = marquee(*arguments, "-h"), marquee(*arguments, "--help")

    assert (asked.returncode, asked.stdout) == (0, help_.stdout)
    assert "Usage: marquee" in asked.stdout


def test_a_shell_completes_commands_and_those_of_groups() -> None:
    def completed(words: str, position: int) -> list[str]:
        said = {"_MARQUEE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position)}
        return marquee(**said).stdout.split()

    assert completed("marquee s", 1) == ["scheduler", "sync", "stats"]
    assert completed("marquee keys ", 2) == ["create", "list", "revoke"]
    assert completed("marquee stats dau --f", 3) == ["--from"]


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_completion_is_shown_and_installed_for_the_shell_that_asks(tmp_path: Path) -> None:
    def in_bash(option: str) -> str:
        script = f'"$@" {option}; exit $?'  # not the last command: bash stays, for the one that asks who asked
        ended = subprocess.run(
            ("bash", "-c", script, "bash", *COMMAND),
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=True,
        )
        return ended.stdout

    shown = in_bash("--show-completion")
    in_bash("--install-completion")

    assert shown.endswith("complete -o default -F _marquee_completion marquee\n")
    assert (tmp_path / ".bash_completions" / "marquee.sh").read_text() == shown.rstrip("\n")
    assert "marquee.sh" in (tmp_path / ".bashrc").read_text()
