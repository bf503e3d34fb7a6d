"""`marquee init`: a configuration to begin with."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.adapters.inbound.cli.running import TroubleError, plainly
from app.adapters.inbound.cli.saying import say

FILE = "config.yaml"
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to; made when it is not there.")]


def add_init_command(cli: typer.Typer, reference: Callable[[], str]) -> None:
    """Add the command `init` to `cli`; `reference` gives the commented configuration."""

    @cli.command()
    def init(folder: Folder = Path()) -> None:
        """Write a commented config.yaml, with every key and its default, and the demo provider."""
        file = folder / FILE
        with plainly():
            _write(file, reference())
        chosen = "" if folder == Path() else f"--config {shlex.quote(str(file))} "
        say(f"wrote {file}: every key with its default, and the demo provider")
        say(f"next: `marquee {chosen}check` says whether all that it names can be reached,")
        say(f"      `marquee {chosen}run` runs everything; http://127.0.0.1:8000/ shows it")


def _write(file: Path, text: str) -> None:
    """Write a new file; one that is there stays, for whose it is nobody knows.

    Raises:
        TroubleError: there is one, or it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            raise TroubleError(f"{file} exists and stays as it is; name another folder, or move it away")
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except OSError as error:
        raise TroubleError(f"{file} cannot be written: {error.strerror}") from None
