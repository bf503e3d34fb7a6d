"""All that commands print and ask, but tables: nothing from outside reaches the terminal unseen (`terminal_text`)."""

import json
import sys
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from app.adapters.formats.terminal_text import visible, visible_json

NO_TERMINAL = "this asks before it does it, and there is no terminal to answer on: say --yes"

_encode = msgspec.json.Encoder(decimal_format="number").encode


def say(text: str, *, err: bool = False) -> None:
    """Print one line."""
    typer.echo(visible(text), err=err)


def say_styled(*parts: str | tuple[str, str]) -> None:
    """Print one line of parts, some with their style; the terminal wraps it."""
    shown = (visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts)
    Console(soft_wrap=True).print(Text.assemble(*shown))


def print_json(value: Any) -> None:
    """Print for programs: one document on standard output, where Decimals are numbers with their own digits."""
    try:
        document = msgspec.json.format(_encode(value), indent=2).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, such as a path may hold
        document = json.dumps(value, indent=2, ensure_ascii=False)
    typer.echo(visible_json(document))


def agree(question: str, *, yes: bool) -> None:
    """Ask, on a terminal, and end the command (exit code 1) unless the answer is yes; `yes` answers beforehand.

    Without a terminal nobody is asked, not even a pipe that may never answer: exit code 2.
    """
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        say(f"marquee: {NO_TERMINAL}", err=True)
        raise typer.Exit(2)
    typer.confirm(visible(question), abort=True)
