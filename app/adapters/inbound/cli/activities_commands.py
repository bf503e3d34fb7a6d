"""`marquee activities`: raw activities, apart from what was counted of them."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated

import typer

from app.adapters.formats.activity_record import activity_record
from app.adapters.inbound.cli.catalog_tables import at, shortened
from app.adapters.inbound.cli.listing import Listing, show
from app.adapters.inbound.cli.options import Json, Yes, add_group, at_most
from app.adapters.inbound.cli.running import Opener, plainly, resumable, run
from app.adapters.inbound.cli.saying import agree, say
from app.adapters.inbound.reading.instants import read_bound, read_given_date
from app.application.expire_activities import ExpireActivities
from app.application.list_activities import ActivityPage, ListActivities
from app.application.ports.activity_archive import WantedActivities
from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan, span_of

Before = Annotated[str, typer.Option(metavar="DATE", help="The first day that stays whole; today at the latest.")]

User = Annotated[str | None, typer.Option(metavar="ID", help="Whose, by user_id.")]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Of this type.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="DATE|TIME", help="The first day (of stats.timezone), or instant.")
]
To = Annotated[str | None, typer.Option("--to", metavar="DATE|TIME", help="The last day, or instant, included.")]
Limit = Annotated[int, at_most(", newest first")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitiesParts:
    """What the commands need."""

    expire_activities: ExpireActivities
    list_activities: ListActivities
    zone: tzinfo


def add_activities_commands(cli: typer.Typer, open_parts: Opener[ActivitiesParts]) -> None:
    """Add the group `activities` to `cli`."""
    group = add_group(cli, "activities", "Raw activities, apart from what was counted of them.")

    @group.command(name="list")
    def list_(  # noqa: PLR0913, PLR0917 - the options of one command
        user: User = None,
        type_: Type = None,
        from_: From = None,
        to: To = None,
        limit: Limit = 20,
        as_json: Json = False,
    ) -> None:
        """List the newest activities, to look at; there is no index by user or type, so that may take a while."""

        async def work(core: ActivitiesParts) -> ActivityPage:
            span = span_of(read_bound("--from", from_, core.zone), read_bound("--to", to, core.zone), core.zone)
            return await _newest(core.list_activities, span, user, type_, limit)

        page = run(open_parts, work)
        show(as_json, [activity_record(one) for one in page.activities], _table(page.activities))
        if page.next is not None and not as_json:
            say("marquee: there may be more: a larger --limit, or an earlier --to", err=True)

    @group.command()
    def purge(before: Before, yes: Yes = False, as_json: Json = False) -> None:
        """Let the raw activities of old days leave for good. What was counted of them stays; safe to repeat."""
        with plainly():
            day = read_given_date("--before", before)
        agree(f"Let all activities of the days before {day} leave for good? What was counted of them stays.", yes=yes)
        with resumable():
            count = run(open_parts, lambda core: core.expire_activities.before(day))
        show(as_json, {"activities": count}, f"{count:,} activities have left")


async def _newest(
    look: ListActivities, span: ActivitySpan, user: str | None, type_: str | None, limit: int
) -> ActivityPage:
    """Look back page by page until there are enough, or nothing is left: a page may be short."""
    page = await look(WantedActivities(span, user, type_), limit)
    while page.next is not None and len(page.activities) < limit:
        further = await look(WantedActivities(span, user, type_, page.next), limit - len(page.activities))
        page = ActivityPage([*page.activities, *further.activities], further.next)
    return page


def _table(found: list[Activity]) -> Listing:
    rows = (
        (at(one.occurred_at), one.type, one.user_id or one.anonymous_id or "", _value(one), shortened(_more(one)))
        for one in found
    )
    return Listing("occurred", "+type", "+user", ">value", "+properties", rows=rows, empty="no activity is like that")


def _value(activity: Activity) -> str:
    return "" if activity.value is None else f"{activity.value:,f}"


def _more(activity: Activity) -> str:
    return activity.properties or ""
