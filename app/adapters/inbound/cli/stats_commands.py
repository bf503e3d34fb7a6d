"""`marquee stats`: the questions to the stats as tables, and the care of the figures."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, TypeVar

import typer

from app.adapters.inbound.answering import stats_answers as answers
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, Yes, add_group, at_most
from app.adapters.inbound.cli.progress import counting
from app.adapters.inbound.cli.running import Opener, run
from app.adapters.inbound.cli.saying import agree, say
from app.adapters.inbound.cli.stats_tables import (
    daily_users,
    funnel_steps,
    plan_figures,
    retention_triangle,
    series_points,
    totals,
    type_counts,
    value_points,
)
from app.adapters.inbound.reading.instants import read_date, read_length
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.application.ports.activities import Difference, FrozenDaysError, Progress, StatsKeeper
from app.application.read_series import MOST_VALUES, SeriesQuestion
from app.application.read_stats import DEFAULT_LIMIT, DEFAULT_WINDOWS, MOST_TYPES
from app.domain.funnels import Funnel
from app.domain.plan_totals import PlanOrder
from app.domain.series import Interval, Metric
from app.domain.stats import Granularity

From = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="The first day; 29 days before --to by default.")
]
To = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day, included; today by default.")]
FromOfTotals = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="The first day; 29 days before --to by default; without both: ever."),
]
ToOfTotals = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="The last day, included; today by default.")
]
OfMetric = Annotated[Metric, typer.Option(help="Activities, the sum of their values, or users.")]
OfInterval = Annotated[Interval, typer.Option(help="The length of a period; weeks are ISO weeks.")]
OfType = Annotated[str, typer.Option("--type", metavar="TYPE", help="Of this type alone; of all by default.")]
OfOrder = Annotated[PlanOrder, typer.Option(help="What comes first: most views, purchases, or purchases a view.")]
OfDimension = Annotated[
    str | None, typer.Option(metavar="NAME", help="source, or a properties.NAME of activity.dimensions: by each value.")
]
OfValue = Annotated[str | None, typer.Option(metavar="VALUE", help="Of the dimension: this value alone.")]
Values = Annotated[int, typer.Option(min=1, max=1000, help="How many values of the dimension at the most.")]
Limit = Annotated[int, at_most()]
PageLimit = Annotated[int, typer.Option(min=1, help="How many types at the most.")]
After = Annotated[str, typer.Option(metavar="TYPE", help="Only types behind this one, by name.")]
Windows = Annotated[int, typer.Option(min=1, max=366, help="How many cohorts, and periods of each.")]
Start = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="A day of the first cohort's period; by default the last one is the current."),
]
Steps = Annotated[str, typer.Argument(metavar="TYPE,TYPE,...", help="Types in their order, up to 10.")]
Within = Annotated[
    str, typer.Option(metavar="TIME", help="How long after a first step the last one counts: 30m, 12h, 7d, 2w.")
]
Length = Annotated[Granularity, typer.Option(help="The length of a period; weeks are ISO weeks.")]


FROZEN = "What is counted of days before {} cannot be made anew, for their activities have left"

T = TypeVar("T")


def _ask(open_parts: Opener[StatsUseCases], work: Callable[[StatsUseCases], Awaitable[T]]) -> T:
    """Do it, and say on the side what is to be known of the days that were counted."""

    async def both(core: StatsUseCases) -> tuple[T, str | None]:
        return await work(core), await core.keeper.trouble()

    found, trouble = run(open_parts, both)
    if trouble:
        say(f"marquee: {trouble}", err=True)
    return found


def add_stats_commands(cli: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    """Add the group `stats` to `cli`."""
    group = add_group(cli, "stats", "Figures over activities.")
    _add_totals(group, open_parts)
    _add_ranges(group, open_parts)
    _add_plans(group, open_parts)
    _add_retention(group, open_parts)
    _add_funnel(group, open_parts)
    _add_maintenance(group, open_parts)


def _add_totals(group: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    @group.command(name="totals")
    def totals_(
        from_: FromOfTotals = None,
        to: ToOfTotals = None,
        after: After = "",
        limit: PageLimit = MOST_TYPES,
        as_json: Json = False,
    ) -> None:
        """Say how often every type occurred, and the sum of its values: ever, or in a range of days."""
        first, last = read_date("--from", from_), read_date("--to", to)

        if first is None and last is None:
            page = run(open_parts, lambda core: core.page_of_totals(after, limit))
        else:
            page = _ask(open_parts, lambda core: core.totals_of_range(first, last, after, limit))
        show(as_json, [answers.total_answer(total) for total in page.totals], totals(page.totals))
        if page.more:
            say(f"marquee: there are more: --after {page.totals[-1].type}", err=True)

    @group.command(name="show")
    def show_(
        type_: Annotated[str, typer.Argument(metavar="TYPE")],
        from_: FromOfTotals = None,
        to: ToOfTotals = None,
        as_json: Json = False,
    ) -> None:
        """Say how often one type occurred, and the sum of its values: ever, or in a range of days."""
        first, last = read_date("--from", from_), read_date("--to", to)

        if first is None and last is None:
            found = run(open_parts, lambda core: core.total_of_type(type_))
        else:
            found = _ask(open_parts, lambda core: core.total_in_range(type_, first, last))
        show(as_json, answers.total_answer(found), totals([found]))


def _add_ranges(group: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    @group.command()
    def dau(from_: From = None, to: To = None, as_json: Json = False) -> None:
        """Count the users of every day."""
        days = _ask(open_parts, lambda core: core.daily_active_users(read_date("--from", from_), read_date("--to", to)))
        show(as_json, [answers.daily_users_answer(day) for day in days], daily_users(days))

    @group.command()
    def series(  # noqa: PLR0913, PLR0917 - an option each
        metric: OfMetric = Metric.COUNT,
        interval: OfInterval = Interval.DAY,
        type_: OfType = "",
        from_: From = None,
        to: To = None,
        dimension: OfDimension = None,
        value: OfValue = None,
        limit: Values = MOST_VALUES,
        as_json: Json = False,
    ) -> None:
        """Tell a figure for every period of a range, of all activities or for each value of a dimension."""
        asked = SeriesQuestion(metric, interval, type_, read_date("--from", from_), read_date("--to", to))
        if dimension is not None:
            found = _ask(open_parts, lambda core: core.series_by_dimension(asked, dimension, value, limit))
            show(as_json, answers.dimension_answer(asked, dimension, found), value_points(asked.metric, found))
            return
        points = _ask(open_parts, lambda core: core.series(asked))
        show(as_json, answers.series_answer(asked, points), series_points(asked.metric, points))

    @group.command()
    def top(from_: From = None, to: To = None, limit: Limit = DEFAULT_LIMIT, as_json: Json = False) -> None:
        """List the most frequent types of some days, most first."""
        found = _ask(open_parts, lambda core: core.top_types(read_date("--from", from_), read_date("--to", to), limit))
        show(as_json, [answers.type_count_answer(one) for one in found], type_counts(found))


def _add_plans(group: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    @group.command()
    def plans(
        from_: From = None,
        to: To = None,
        order: OfOrder = PlanOrder.VIEWS,
        limit: Limit = DEFAULT_LIMIT,
        as_json: Json = False,
    ) -> None:
        """List plans by what visitors do with them: which are looked at, which sell."""
        first, last = read_date("--from", from_), read_date("--to", to)
        found = _ask(open_parts, lambda core: core.plans_by_figures(first, last, order, limit))
        show(as_json, [answers.plan_figures_answer(one) for one in found], plan_figures(found))


def _add_retention(group: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    @group.command()
    def retention(
        start_date: Start = None,
        windows: Windows = DEFAULT_WINDOWS,
        granularity: Length = Granularity.DAY,
        type_: OfType = "",
        as_json: Json = False,
    ) -> None:
        """Show who came first in a period, and how many of them were active in later ones."""
        start = read_date("--start-date", start_date)
        cohorts = _ask(open_parts, lambda core: core.retention(granularity, windows, start, type_))
        show(as_json, answers.retention_answer(granularity, cohorts, type_), retention_triangle(granularity, cohorts))


async def _compared(keeper: StatsKeeper, progress: Progress | None) -> tuple[Difference | None, date | None]:
    """Compare, and say from which day on."""
    return await keeper.verify(progress), await keeper.frozen_before()


def _add_funnel(group: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    @group.command()
    def funnel(steps: Steps, within: Within = "7d", from_: From = None, to: To = None, as_json: Json = False) -> None:
        """Count the users who came from a first step to later ones, in order: each counts for the furthest."""
        found = _ask(
            open_parts,
            lambda core: core.ask_funnel(
                Funnel(steps.split(","), read_length("--within", within)),
                read_date("--from", from_),
                read_date("--to", to),
            ),
        )
        show(as_json, [answers.funnel_step_answer(step) for step in found], funnel_steps(found))


def _add_maintenance(group: typer.Typer, open_parts: Opener[StatsUseCases]) -> None:
    @group.command()
    def verify(as_json: Json = False) -> None:
        """Compare the figures with the activities. Exit code 1: they differ, and where they do first is printed."""
        with counting("comparing") as progress:
            found, since = _ask(open_parts, lambda core: _compared(core.keeper, progress))
        lines = ["the figures agree with the activities"]
        if found:
            lines = [
                f"the figures differ; first: {found.rollup}: kept {found.kept}, activities say {found.folded}",
                "`marquee stats rebuild` makes them anew",
            ]
        if since:
            lines.append(f"compared from {since} on: the activities of days before have left")
        show(as_json, answers.difference_answer(found, since), *lines)
        raise typer.Exit(1 if found else 0)

    @group.command()
    def rebuild(yes: Yes = False, as_json: Json = False) -> None:
        """Make the figures anew from the activities, also in another time zone."""

        def work(leaving: date | None) -> int:
            with counting("rebuilding") as progress:
                count: int = run(open_parts, lambda core: core.keeper.rebuild(progress, leaving))
            return count

        try:
            count = work(None)
        except FrozenDaysError as error:
            agree(f"{FROZEN.format(error.day)}: they stay days of the time zone before. Make the others anew?", yes=yes)
            count = work(error.day)
        show(as_json, {"activities": count}, f"rebuilt from {count:,} activities")

    @group.command()
    def reset(yes: Yes = False) -> None:
        """Empty the figures. The activities stay: `marquee stats rebuild` brings the figures back."""
        frozen = run(open_parts, lambda core: core.keeper.frozen_before())
        cost = f"{FROZEN.format(frozen)}, so these are lost for good. " if frozen else ""
        agree(f"{cost}Empty all figures?", yes=yes)
        run(open_parts, lambda core: core.keeper.reset(frozen))
        say(
            "the figures are empty; `marquee stats rebuild` brings back what follows from the activities that are there"
        )
