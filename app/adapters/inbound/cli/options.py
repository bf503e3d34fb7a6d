"""What several commands are told alike: options, and the groups that commands stand in."""

from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def at_most(order: str = "") -> Any:
    """Make the option of how many are listed, 1 to 1,000; `order` says which those are."""
    return typer.Option(min=1, max=1000, help=f"How many at the most{order}.")


def add_group(cli: typer.Typer, name: str, help_: str) -> typer.Typer:
    """Add a group of commands to `cli` that shows its help when none of them is named."""
    group = typer.Typer(name=name, help=help_, no_args_is_help=True)
    cli.add_typer(group)
    return group
