"""What a terminal gets to see of an error of ours, from a process with our logging."""

import subprocess
import sys

from tests.support.service import REPOSITORY

FAILING = r"""
import structlog
from app.infrastructure.observability.logging import configure_logging
from app.infrastructure.settings.settings import Logging

def fail(password):
    raise ValueError("found \x1b[2J\n12:00:00 [info ] forged")

configure_logging(Logging(format="console"), "test")
try:
    fail("hush")
except ValueError:
    structlog.get_logger().exception("a bug")
"""


UNFORESEEN = r"""
import sys
from app.infrastructure.commands.command_line import cli, run_command_line

@cli.command(name="break")
def break_() -> None:
    raise ValueError("found \x1b[2J")

sys.argv = ["marquee", "break"]
run_command_line()
"""


def test_an_error_that_nobody_foresaw_steers_no_terminal_either() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNFORESEEN], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "marquee: Traceback (most recent call last):"
    assert done.stderr.splitlines()[-1] == r"marquee: ValueError: found \x1b[2J"
    assert "\x1b" not in done.stderr


def test_a_traceback_keeps_its_lines_steers_no_terminal_and_tells_no_values() -> None:
    said = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True).stderr

    lines = said.splitlines()
    assert r"  ValueError: found \x1b[2J" in lines
    assert "  12:00:00 [info ] forged" in lines
    assert "in fail" in said
    assert "hush" not in said
    assert "\x1b[2J" not in said
