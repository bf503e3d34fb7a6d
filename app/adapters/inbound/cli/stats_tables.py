"""Stats, dead letters and imports for people, and exact JSON for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.adapters.inbound.cli.tables import at
from app.adapters.inbound.stats_answers import ImportSummary
from app.application.ports.activities import DeadLetter
from app.domain.activities import Activity
from app.domain.stats import Cohort, DailyUsers, Granularity, TypeCount, TypeTotal

BAR = 40
"""Characters of the longest bar."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def print_exact_json(value: Any) -> None:
    """Print one document on standard output; Decimals are numbers with their own digits."""
    Console().out(msgspec.json.format(_encode(value), indent=2).decode(), highlight=False)


def totals_table(totals: Iterable[TypeTotal]) -> Table:
    """How often every type occurred, and the sum of its values."""
    table = _table("type", ">count", ">sum")
    for total in totals:
        table.add_row(escape(total.type), f"{total.count:,}", f"{total.sum:,f}")
    return table


def daily_users_table(days: Sequence[DailyUsers]) -> Table:
    """How many users were active on each day."""
    table = _table("date", ">users", "")
    most = max((day.users for day in days), default=0)
    for day in days:
        table.add_row(day.date.isoformat(), f"{day.users:,}", _bar(day.users, most))
    return table


def type_counts_table(found: Sequence[TypeCount]) -> Table:
    """Which types occurred most often."""
    table = _table("type", ">count", "")
    most = max((one.count for one in found), default=0)
    for one in found:
        table.add_row(escape(one.type), f"{one.count:,}", _bar(one.count, most))
    return table


def retention_table(granularity: Granularity, cohorts: Sequence[Cohort]) -> Table:
    """Draw the triangle: how many of a cohort were active n periods later, and their share of it."""
    table = _table(granularity.value, ">size", *(f">+{later}" for later in range(len(cohorts))))
    for cohort in cohorts:
        cells = (_cell(active, cohort.size) for active in cohort.active)
        table.add_row(cohort.start.isoformat(), f"{cohort.size:,}", *cells)
    return table


def _cell(active: int | None, size: int) -> str:
    if active is None:
        return ""
    return f"{active:,} [dim]{active / size:.0%}[/]" if size else f"{active:,}"


def dead_letters_table(letters: Iterable[DeadLetter]) -> Table:
    """What could not be stored, the oldest first."""
    table = _table("id", "buried", ">activities", "reason", "first")
    for letter in letters:
        first = letter.source or (_shown(letter.activities[0]) if letter.activities else "")
        cells = (letter.letter_id, at(letter.buried_at), str(len(letter.activities)), letter.reason, first[:120])
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _shown(activity: Activity) -> str:
    return f"{activity.activity_id} {activity.type} {at(activity.occurred_at)}"


def print_import(console: Console, summary: ImportSummary) -> None:
    """Say how an import went, in a few lines."""
    report = summary.report
    if report.continued_after:
        console.print(f"continued at row {report.continued_after + 1:,}: the rows before were imported earlier")
    console.print(f"{report.rows:,} rows in {summary.seconds:.1f} s ({summary.rate:,.0f} rows/s)")
    console.print(f"  stored {report.stored:,}, duplicates {report.duplicates:,}, rejected {report.rejected:,}")
    if report.rejected:
        reasons = ", ".join(f"{count:,} {code}" for code, count in report.rejected_for.most_common())
        console.print(escape(f"  rejected: {reasons}; see {summary.rejects}"))
    if summary.ignored:
        console.print(
            escape(f"  ignored columns: {', '.join(summary.ignored)} (--map COLUMN=properties.NAME keeps one)")
        )


def _bar(count: int, most: int) -> str:
    return "█" * round(BAR * count / most) if most else ""


def _table(*columns: str) -> Table:
    """Make a table; columns that begin with `>` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        name = column.removeprefix(">")
        folds = name in ("reason", "first")
        table.add_column(name, justify="right" if column != name else "left", overflow="fold", no_wrap=not folds)
    return table
