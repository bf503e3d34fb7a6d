"""`marquee imports`: what was imported, and what of it is kept."""

from dataclasses import dataclass
from typing import Annotated

import typer

from app.adapters.inbound.answering.stats_answers import imported_answer
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, add_group, at_most
from app.adapters.inbound.cli.running import Opener, run
from app.adapters.inbound.cli.stats_tables import imports_table
from app.application.ports.imports import Imports

Limit = Annotated[int, at_most(", newest first")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsParts:
    """What the commands need."""

    imports: Imports


def add_imports_commands(cli: typer.Typer, open_parts: Opener[ImportsParts]) -> None:
    """Add the group `imports` to `cli`."""
    group = add_group(cli, "imports", "What was imported, each with its id.")

    @group.command(name="list")
    def list_(limit: Limit = 20, as_json: Json = False) -> None:
        """List the imports, newest first: file, how it was read, rows handled, activities stored."""
        found = run(open_parts, lambda parts: parts.imports.newest(limit))
        show(as_json, [imported_answer(one) for one in found], imports_table(found))
