"""Stats, dead letters and imports for people, and exact JSON for programs."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from app.adapters.inbound.answering.stats_answers import ImportSummary
from app.adapters.inbound.cli.listing import Cell, Listing
from app.adapters.inbound.cli.saying import say_styled
from app.adapters.inbound.cli.tables import at, shortened
from app.application.ports.activities import DeadLetter
from app.domain.activities import Activity
from app.domain.stats import Cohort, DailyUsers, Granularity, TypeCount, TypeTotal

BAR = 40
"""Characters of the longest bar."""

NOTHING_COUNTED = "no activity has been counted yet: POST /events or `marquee import FILE` brings some"


def totals(found: Iterable[TypeTotal]) -> Listing:
    """How often every type occurred, and the sum of its values."""
    listing = Listing("+type", ">count", ">sum", empty=NOTHING_COUNTED)
    for total in found:
        listing.add(total.type, f"{total.count:,}", f"{total.sum:,f}")
    return listing


def daily_users(days: Sequence[DailyUsers]) -> Listing:
    """How many users were active on each day."""
    listing = Listing("date", ">users", "", empty="no day lies between these two")
    most = max((day.users for day in days), default=0)
    for day in days:
        listing.add(day.date.isoformat(), f"{day.users:,}", _bar(day.users, most))
    return listing


def type_counts(found: Sequence[TypeCount]) -> Listing:
    """Which types occurred most often."""
    empty = "no activity of these days has been counted: POST /events or `marquee import FILE` brings some"
    listing = Listing("+type", ">count", "", empty=empty)
    most = max((one.count for one in found), default=0)
    for one in found:
        listing.add(one.type, f"{one.count:,}", _bar(one.count, most))
    return listing


def retention_triangle(granularity: Granularity, cohorts: Sequence[Cohort]) -> Listing:
    """Draw the triangle: how many of a cohort were active n periods later, and their share of it."""
    titles = (f">+{later}" for later in range(len(cohorts)))
    listing = Listing(granularity.value, ">size", *titles, empty="no period lies there")
    for cohort in cohorts:
        listing.add(cohort.start.isoformat(), f"{cohort.size:,}", *(_cell(one, cohort.size) for one in cohort.active))
    return listing


def _cell(active: int | None, size: int) -> Cell:
    if active is None:
        return ""
    return Text.assemble(f"{active:,} ", (f"{active / size:.0%}", "dim")) if size else f"{active:,}"


def dead_letters(letters: Iterable[DeadLetter]) -> Listing:
    """What could not be stored, the oldest first."""
    empty = "there are no dead letters; activities that no worker can store would stand here"
    listing = Listing("id", "+buried", ">activities", "+reason", "+first", empty=empty)
    for letter in letters:
        first = letter.source or (_shown(letter.activities[0]) if letter.activities else "")
        listing.add(
            letter.letter_id, at(letter.buried_at), str(len(letter.activities)), letter.reason, shortened(first)
        )
    return listing


def _shown(activity: Activity) -> str:
    return f"{activity.activity_id} {activity.type} {at(activity.occurred_at)}"


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


def _bar(count: int, most: int) -> str:
    return "█" * round(BAR * count / most) if most else ""
