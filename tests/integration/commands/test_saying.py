"""Commands that ask: on a terminal, and only there."""

import os
import pty
import subprocess
import sys

import pytest

from tests.support.service import REPOSITORY

SCRIPT = """
import typer
from app.adapters.inbound.cli.saying import agree

def delete() -> None:
    agree("Delete \\x1b[31mana?", yes=False)
    print("deleted")

typer.run(delete)
"""
COMMAND = (sys.executable, "-c", SCRIPT)


@pytest.mark.parametrize(("answer", "code", "said"), [(b"y\n", 0, b"deleted"), (b"n\n", 1, b""), (b"\x04", 1, b"")])
def test_a_terminal_is_asked(answer: bytes, code: int, said: bytes) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(COMMAND, stdin=theirs, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        os.close(theirs)
        os.write(ours, answer)
        printed, _ = process.communicate(timeout=60)
    os.close(ours)

    assert (process.returncode, said in printed) == (code, True)
    assert rb"Delete \x1b[31mana?" in printed
    assert b"\x1b" not in printed


@pytest.mark.parametrize("given", ["y\n", "", None])
def test_without_a_terminal_the_option_is_named_and_nothing_is_done(given: str | None) -> None:
    silent, held = os.pipe()
    stdin = {"stdin": silent} if given is None else {"input": given}
    done = subprocess.run(
        COMMAND,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **stdin,
    )
    os.close(held)
    os.close(silent)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("marquee: this asks before it does it, and there is no terminal to answer on: say --yes\n")
