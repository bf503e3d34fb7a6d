"""`marquee imports`: what was imported, and how it is taken back."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from app.adapters.inbound.answering.removal_answers import undone_answer
from app.adapters.inbound.answering.stats_answers import imported_answer
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, Yes, add_group, at_most
from app.adapters.inbound.cli.progress import counting
from app.adapters.inbound.cli.removal_texts import print_undone
from app.adapters.inbound.cli.running import Opener, resumable, run
from app.adapters.inbound.cli.saying import agree
from app.adapters.inbound.cli.stats_tables import imports_table
from app.application.ports.imports import Imports
from app.application.undo_import import UndoImport, Undone

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `imports list` shows it.")]
Limit = Annotated[int, at_most(", newest first")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsParts:
    """What the commands need."""

    imports: Imports
    undo_import: UndoImport


def add_imports_commands(cli: typer.Typer, open_parts: Opener[ImportsParts]) -> None:
    """Add the group `imports` to `cli`."""
    group = add_group(cli, "imports", "What was imported, each with its id.")

    @group.command(name="list")
    def list_(limit: Limit = 20, as_json: Json = False) -> None:
        """List the imports, newest first: file, how it was read, rows handled, activities stored."""
        found = run(open_parts, lambda parts: parts.imports.newest(limit))
        show(as_json, [imported_answer(one) for one in found], imports_table(found))

    @group.command()
    def undo(import_id: Id, yes: Yes = False, as_json: Json = False) -> None:
        """Take out what an import stored, as if it had never come; its file can be imported again. Safe to repeat."""
        agree(f"Take out everything that import {import_id} stored?", yes=yes)

        async def work(parts: ImportsParts) -> Undone:
            with counting("taking out") as told:
                return await parts.undo_import(import_id, told)

        with resumable():
            undone = run(open_parts, work)
        show(as_json, undone_answer(undone), partial(print_undone, undone))
