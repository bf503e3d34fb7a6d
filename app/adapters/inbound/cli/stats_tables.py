"""Stats, dead letters and imports for people, and exact JSON for programs."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from app.adapters.inbound.answering.stats_answers import ImportSummary
from app.adapters.inbound.cli.catalog_tables import at, shortened
from app.adapters.inbound.cli.listing import Cell, Listing
from app.adapters.inbound.cli.saying import say_styled
from app.application.ports.activities import DeadLetter
from app.application.ports.imports import Import
from app.application.read_plan_stats import RankedPlan
from app.application.read_series import ValueSeries
from app.domain.funnels import FunnelStep
from app.domain.series import Figure, Metric, Point
from app.domain.stats import Cohort, DailyUsers, Granularity, TypeCount, TypeTotal

BAR = 40
"""Characters of the longest bar."""

NOTHING_COUNTED = "no activity has been counted yet: POST /events or `marquee import FILE` brings some"


def totals(found: Iterable[TypeTotal]) -> Listing:
    """How often every type occurred, and the sum of its values."""
    rows = ((total.type, f"{total.count:,}", f"{total.sum:,f}") for total in found)
    return Listing("+type", ">count", ">sum", rows=rows, empty=NOTHING_COUNTED)


def daily_users(days: Sequence[DailyUsers]) -> Listing:
    """How many users were active on each day."""
    most = max((day.users for day in days), default=0)
    rows = ((day.date.isoformat(), f"{day.users:,}", _bar(day.users, most)) for day in days)
    return Listing("date", ">users", "", rows=rows, empty="no day lies between these two")


def series_points(metric: Metric, points: Sequence[Point]) -> Listing:
    """A figure for every period."""
    most = max((point.figure for point in points), default=0)
    rows = ((point.start.isoformat(), f"{point.figure:,f}", _bar(point.figure, most)) for point in points)
    return Listing("start", f">{metric}", "", rows=rows, empty="no period lies between these two")


def value_points(metric: Metric, found: Sequence[ValueSeries]) -> Listing:
    """A figure for every period, for each value of a dimension."""
    most = max((point.figure for one in found for point in one.points), default=0)
    rows = (
        (_value(one), point.start.isoformat(), f"{point.figure:,f}", _bar(point.figure, most))
        for one in found
        for point in one.points
    )
    return Listing("+value", "start", f">{metric}", "", rows=rows, empty="no activity of these days has been counted")


def _value(one: ValueSeries) -> Cell:
    if one.value.text is not None:
        return one.value.text
    return Text("others" if one.value.is_other else "none", style="dim")


def type_counts(found: Sequence[TypeCount]) -> Listing:
    """Which types occurred most often."""
    empty = "no activity of these days has been counted: POST /events or `marquee import FILE` brings some"
    most = max((one.count for one in found), default=0)
    rows = ((one.type, f"{one.count:,}", _bar(one.count, most)) for one in found)
    return Listing("+type", ">count", "", rows=rows, empty=empty)


def plan_figures(found: Sequence[RankedPlan]) -> Listing:
    """How often plans were looked at and bought."""
    empty = "no look at a plan of these days has been counted: activities name their plan by `plan_id`"
    rows = (
        (
            one.figures.plan_id,
            shortened(one.title or ""),
            f"{one.figures.views:,}",
            f"{one.figures.purchases:,}",
            f"{one.figures.sum:,f}",
            "" if one.figures.conversion is None else f"{one.figures.conversion:.1%}",
        )
        for one in found
    )
    return Listing("+plan", "title", ">views", ">purchases", ">sum", ">conversion", rows=rows, empty=empty)


def funnel_steps(steps: Sequence[FunnelStep]) -> Listing:
    """How many users came how far, and which share of those who began."""
    began = steps[0].users
    rows = (
        (str(one.step), one.type, f"{one.users:,}", f"{one.users / began:.1%}" if began else "", _bar(one.users, began))
        for one in steps
    )
    return Listing(">step", "+type", ">users", ">of all", "", rows=rows, empty="there are no steps")


def retention_triangle(granularity: Granularity, cohorts: Sequence[Cohort]) -> Listing:
    """Draw the triangle: how many of a cohort were active n periods later, and their share of it."""
    titles = (f">+{later}" for later in range(len(cohorts)))
    rows = (
        (cohort.start.isoformat(), f"{cohort.size:,}", *(_cell(one, cohort.size) for one in cohort.active))
        for cohort in cohorts
    )
    return Listing(granularity.value, ">size", *titles, rows=rows, empty="no period lies there")


def _cell(active: int | None, size: int) -> Cell:
    if active is None:
        return ""
    return Text.assemble(f"{active:,} ", (f"{active / size:.0%}", "dim")) if size else f"{active:,}"


def dead_letters(letters: Iterable[DeadLetter]) -> Listing:
    """What could not be stored, the oldest first."""
    empty = "there are no dead letters; activities that no worker can store would stand here"
    return Listing("id", "+buried", ">activities", "+reason", "+first", rows=map(_letter, letters), empty=empty)


def _letter(letter: DeadLetter) -> Sequence[Cell]:
    first = letter.source or ""
    if not first and letter.activities:
        activity = letter.activities[0]
        first = f"{activity.activity_id} {activity.type} {at(activity.occurred_at)}"
    return letter.letter_id, at(letter.buried_at), str(len(letter.activities)), letter.reason, shortened(first)


def imports_table(found: Iterable[Import]) -> Listing:
    """What was imported, the newest first."""
    titles = ("id", "+file", "read as", "+begun", "state", ">rows", ">stored")
    rows = (
        (str(one.import_id), one.file, one.reading, at(one.begun_at), one.state, f"{one.rows:,}", f"{one.stored:,}")
        for one in found
    )
    return Listing(*titles, rows=rows, empty="nothing was imported yet: `marquee import FILE` does it")


def print_import(summary: ImportSummary) -> None:
    """Say how an import went, in a few lines."""
    report = summary.report
    if report.continued_after:
        say_styled(f"continued at row {report.continued_after + 1:,}: the rows before were imported earlier")
    if not report.rows and not report.continued_after:
        say_styled("the file has no rows")
    say_styled(f"{report.rows:,} rows in {summary.seconds:.1f} s ({summary.rate:,.0f} rows/s)")
    say_styled(f"  stored {report.stored:,}, duplicates {report.duplicates:,}, rejected {report.rejected:,}")
    if report.rejected:
        reasons = ", ".join(f"{count:,} {code}" for code, count in report.rejected_for.most_common())
        say_styled(f"  rejected: {reasons}; see {summary.rejects}")
    if summary.left_out:
        say_styled(f"  left out there: {summary.left_out:,} rows, for it is full (--max-rejects-bytes)")
    if summary.ignored:
        say_styled(f"  ignored columns: {', '.join(summary.ignored)} (--map COLUMN=properties.NAME keeps one)")


def _bar(figure: Figure, most: Figure) -> str:
    return "█" * round(BAR * max(0, figure) / most) if most > 0 else ""
