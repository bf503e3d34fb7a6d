"""`marquee activities`: raw activities, apart from what was counted of them."""

from typing import Annotated

import typer

from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, Yes, add_group
from app.adapters.inbound.cli.running import Opener, plainly, resumable, run
from app.adapters.inbound.cli.saying import agree
from app.adapters.inbound.reading.instants import read_given_date
from app.application.expire_activities import ExpireActivities

Before = Annotated[str, typer.Option(metavar="DATE", help="The first day that stays whole; today at the latest.")]


def add_activities_commands(cli: typer.Typer, open_parts: Opener[ExpireActivities]) -> None:
    """Add the group `activities` to `cli`."""
    group = add_group(cli, "activities", "Raw activities, apart from what was counted of them.")

    @group.command()
    def purge(before: Before, yes: Yes = False, as_json: Json = False) -> None:
        """Let the raw activities of old days leave for good. What was counted of them stays; safe to repeat."""
        with plainly():
            day = read_given_date("--before", before)
        agree(f"Let all activities of the days before {day} leave for good? What was counted of them stays.", yes=yes)
        with resumable():
            count = run(open_parts, lambda core: core.before(day))
        show(as_json, {"activities": count}, f"{count:,} activities have left")
