"""The same facts for people (tables) and for programs (`--json`)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.application.read_catalog import ProviderStatus
from app.domain.feeds import Rejection
from app.domain.sync_runs import SyncOutcome, SyncReport

STYLES = {
    SyncOutcome.APPLIED: "green",
    SyncOutcome.UNCHANGED: "green",
    SyncOutcome.HELD: "yellow",
    SyncOutcome.INCOMPLETE: "yellow",
    SyncOutcome.SKIPPED: "yellow",
    SyncOutcome.FAILED: "red",
}

FOLDED = frozenset({"changes", "waiting", "why", "message", "source", "reason"})
"""Columns that may be folded; in the others nothing is longer than its column is worth."""

WIDE = 160
"""Columns of the console from which on the reasons of runs have a column of their own."""


def console() -> Console:
    """Make the console for tables; what is no terminal has no edge at which to fold them."""
    found = Console()
    return found if found.is_terminal else Console(width=1000)


def print_json(value: Any) -> None:
    """Print for programs: one document on standard output."""
    Console().out(json.dumps(value, indent=2, ensure_ascii=False), highlight=False)


def at(instant: datetime | None) -> str:
    """Say when, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if instant else "never"


def counted(counts: Mapping[Any, int]) -> str:
    """Say how many of each, the kinds that occurred only."""
    return ", ".join(f"{count} {str(kind).replace('_', ' ')}" for kind, count in counts.items() if count) or "-"


def providers_table(rows: Iterable[ProviderStatus]) -> Table:
    """How every provider fares."""
    table = _table("name", "kind", "every", "enabled", "last good sync", "last run", "circuit", "held")
    for row in rows:
        run = row.last_run
        table.add_row(
            escape(row.provider.name),
            escape(row.provider.kind),
            f"{row.provider.interval:g} s",
            "yes" if row.provider.enabled else "no",
            at(row.snapshot_at),
            _outcome(run) if run else "none yet",
            row.circuit.state,
            "waits for --approve" if row.waiting else "-",
        )
    return table


def print_runs(console: Console, rows: Sequence[SyncReport]) -> None:
    """Print runs, newest first; on a narrow terminal their reasons below."""
    wide = console.width >= WIDE
    console.print(_runs_table(rows, reasons=wide))
    for run in rows:
        if run.reason and not wide:
            console.print(f"{at(run.started_at)} {_outcome(run)}: {escape(run.reason)}")


def _runs_table(rows: Iterable[SyncReport], *, reasons: bool) -> Table:
    names = ("started", "took", "outcome", "bytes", "records", "changes", "waiting", "rejected", "why")
    table = _table(*(names if reasons else names[:-1]))
    for run in rows:
        cells = (
            at(run.started_at),
            f"{run.took:.2f} s",
            _outcome(run),
            f"{run.fetched_bytes:,}",
            f"{run.records:,}",
            counted(run.changes),
            counted(run.waiting),
            f"{run.rejected:,}",
            escape(run.reason or "-"),
        )
        table.add_row(*(cells if reasons else cells[:-1]))
    return table


def rejections_table(rows: Iterable[Rejection]) -> Table:
    """Records that could not be used."""
    table = _table("line", "base", "item", "reason", "message", "source")
    for row in rows:
        base_id = row.key.base_id if row.key else row.base_id
        item_id = row.key.item_id if row.key else None
        source = " ".join(row.source.split())
        cells: Sequence[str] = (str(row.line), base_id or "-", item_id or "-", row.reason, row.message, source[:120])
        table.add_row(*(escape(cell) for cell in cells))
    return table


def print_report(console: Console, run: SyncReport) -> None:
    """Say how one run went, in a few lines."""
    dry = " (dry run: nothing was written)" if run.dry_run else ""
    console.print(f"[bold]{escape(run.provider)}[/bold] {_outcome(run)}{dry} in {run.took:.2f} s")
    verb = "would change" if run.dry_run else "changed"
    console.print(f"  {run.fetched_bytes:,} bytes, {run.records:,} records; {verb}: {counted(run.changes)}")
    optional = {
        "waiting": counted(run.waiting) if run.waiting else "",
        "rejected": f"{run.rejected:,} records; `marquee rejections {run.provider}` lists them" if run.rejected else "",
        "ignored": counted(run.ignored) if run.ignored else "",
        "why": run.reason or "",
    }
    for name, text in optional.items():
        if text:
            console.print(f"  {name}: {escape(text)}")


def _outcome(run: SyncReport) -> str:
    return f"[{STYLES[run.outcome]}]{run.outcome}[/]"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in FOLDED, min_width=len(column))
    return table
