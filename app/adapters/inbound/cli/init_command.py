"""`marquee init`: a configuration to begin with."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.adapters.inbound.cli.running import stopped
from app.adapters.inbound.cli.saying import say

FILE = "config.yaml"
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to; made when it is not there.")]


class FileExistsAlreadyError(Exception):
    """There is a configuration; whose it is nobody knows, so it stays."""

    def __init__(self, file: Path) -> None:
        """Say what to do."""
        super().__init__(f"{file} exists and stays as it is; name another folder, or move it away")


def add_init_command(cli: typer.Typer, reference: Callable[[], str]) -> None:
    """Add the command `init` to `cli`; `reference` gives the commented configuration."""

    @cli.command()
    def init(folder: Folder = Path()) -> None:
        """Write a commented config.yaml, with every key and its default, and the demo provider."""
        file = folder / FILE
        try:
            _write(file, reference())
        except FileExistsAlreadyError as error:
            raise stopped(error, 1) from None
        except OSError as error:
            raise stopped(OSError(f"{file} cannot be written: {error.strerror}"), 1) from None
        chosen = "" if folder == Path() else f"--config {shlex.quote(str(file))} "
        say(f"wrote {file}: every key with its default, and the demo provider")
        say(f"next: `marquee {chosen}check` says whether all that it names can be reached,")
        say(f"      `marquee {chosen}run` runs everything; http://127.0.0.1:8000/ shows it")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise FileExistsAlreadyError(file) from None
