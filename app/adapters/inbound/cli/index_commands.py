"""`marquee catalog index`: the index file of this machine, to be given to another one."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from app.adapters.inbound.answering.answers import instant
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json
from app.adapters.inbound.cli.running import Opener, run
from app.application.ports.copies import IndexCopies
from app.application.ports.index_file import IndexFileFacts

Target = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy is to be; nothing may lie there.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="What `export` wrote, on this machine or another.")]
SAME = "The same as `index`."

Copying = Callable[[IndexCopies], Awaitable[IndexFileFacts]]


def add_index_commands(catalog: typer.Typer, open_copies: Opener[IndexCopies]) -> None:
    """Add the group `index` to the group `catalog`, and once more as `snapshot`."""
    group = typer.Typer(no_args_is_help=True)

    @group.command("export")
    def export_file(target: Target, as_json: Json = False) -> None:
        """Copy the index file of data_dir, while the service runs or not, and check the copy.

        It holds plans alone, no secrets.
        """
        _do(open_copies, lambda copies: copies.export_to(target), "exported", target, as_json=as_json)

    @group.command("import")
    def import_file(source: Source, as_json: Json = False) -> None:
        """Check an index file and put it into data_dir, for the next start; a service that runs takes it up at once.

        Where Redis knows more of a provider, that counts.
        """
        _do(open_copies, lambda copies: copies.import_from(source), "imported", source, as_json=as_json)

    catalog.add_typer(group, name="index", help="The index file: from it the API answers as soon as it starts.")
    catalog.add_typer(group, name="snapshot", help=SAME, hidden=True)


def _do(open_copies: Opener[IndexCopies], copying: Copying, done: str, path: Path, *, as_json: bool) -> None:
    facts = run(open_copies, copying)
    said = f"{done}: {facts.plans:,} plans as of {instant(facts.written_at)}, {facts.size:,} bytes, checked"
    show(as_json, _answer(facts, path), said)


def _answer(facts: IndexFileFacts, path: Path) -> dict[str, Any]:
    return {"file": str(path), "written_at": instant(facts.written_at), "plans": facts.plans, "bytes": facts.size}
