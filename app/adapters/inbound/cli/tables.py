"""The same facts for people (tables) and for programs (`--json`)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from app.adapters.inbound.answering.answers import RejectionAnswer
from app.adapters.inbound.cli.listing import Cell, Listing
from app.adapters.inbound.cli.saying import say_styled
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

PREVIEW = 120
"""Characters of a record in a table."""
WIDE = 160
"""Columns of the terminal from which on the reasons of runs have a column of their own."""


def at(instant: datetime | None) -> str:
    """Say when, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if instant else "never"


def counted(counts: Mapping[Any, int]) -> str:
    """Say how many of each, the kinds that occurred only."""
    return ", ".join(f"{count} {str(kind).replace('_', ' ')}" for kind, count in counts.items() if count) or "-"


def shortened(text: str) -> str:
    """Give the beginning of a text of which a table need not show all, and say how much more `--json` shows."""
    more = len(text) - PREVIEW
    return f"{text[:PREVIEW]} (and {more:,} characters, see --json)" if more > 0 else text


def providers_listing(rows: Iterable[ProviderStatus]) -> Listing:
    """How every provider fares."""
    return Listing(
        *("+name", "+kind", "every", "enabled", "+last good sync", "+last run", "circuit", "+held"),
        rows=map(_provider, rows),
        empty="no provider is configured: name one under `providers` in the configuration (`marquee init` shows how)",
    )


def _provider(row: ProviderStatus) -> Sequence[Cell]:
    return (
        row.provider.name,
        row.provider.kind,
        f"{row.provider.interval:g} s",
        "yes" if row.provider.enabled else "no",
        at(row.snapshot_at),
        _outcome(row.last_run) if row.last_run else "none yet",
        row.circuit.state,
        "waits for --approve" if row.waiting else "-",
    )


def print_runs(provider: str, rows: Sequence[SyncReport]) -> None:
    """Print runs, newest first; on a narrow terminal their reasons below."""
    console = Console()
    wide = console.width >= WIDE or not console.is_terminal
    runs_listing(provider, rows, reasons=wide).show(console)
    for run in rows:
        if run.reason and not wide:
            say_styled(f"{at(run.started_at)} ", _styled(run), f": {run.reason}")


def runs_listing(provider: str, rows: Iterable[SyncReport], *, reasons: bool) -> Listing:
    """Runs, with what they did; and their reasons, where there is room."""
    names = ("+started", ">took", "outcome", ">bytes", ">records", "+changes", "+waiting", ">rejected", "+why")
    shown = slice(None if reasons else -1)
    return Listing(
        *names[shown],
        rows=(_run(run)[shown] for run in rows),
        empty=f"{provider} was not synced yet: `marquee sync {provider}` does it now, a scheduler by itself",
    )


def _run(run: SyncReport) -> Sequence[Cell]:
    return (
        at(run.started_at),
        f"{run.took:.2f} s",
        _outcome(run),
        f"{run.fetched_bytes:,}",
        f"{run.records:,}",
        counted(run.changes),
        counted(run.waiting),
        f"{run.rejected:,}",
        run.reason or "-",
    )


def rejections_listing(provider: str, rows: Iterable[Rejection]) -> Listing:
    """Records that could not be used."""
    return Listing(
        *("line", "+base", "+item", "+reason", "+message", "+source"),
        rows=map(_rejection, rows),
        empty=f"nothing of {provider}'s last feed was rejected; a record that cannot be used would stand here",
    )


def _rejection(row: Rejection) -> Sequence[Cell]:
    told = RejectionAnswer.of(row)
    source = shortened(" ".join(row.source.split()))
    return str(row.line), told["base_id"] or "-", told["item_id"] or "-", row.reason, row.message, source


def print_report(run: SyncReport) -> None:
    """Say how one run went, in a few lines."""
    dry = " (dry run: nothing was written)" if run.dry_run else ""
    say_styled((run.provider, "bold"), " ", _styled(run), f"{dry} in {run.took:.2f} s")
    verb = "would change" if run.dry_run else "changed"
    say_styled(f"  {run.fetched_bytes:,} bytes, {run.records:,} records; {verb}: {counted(run.changes)}")
    optional = {
        "waiting": counted(run.waiting) if run.waiting else "",
        "rejected": f"{run.rejected:,} records; `marquee rejections {run.provider}` lists them" if run.rejected else "",
        "ignored": counted(run.ignored) if run.ignored else "",
        "why": run.reason or "",
    }
    for name, text in optional.items():
        if text:
            say_styled(f"  {name}: {text}")


def _outcome(run: SyncReport) -> Text:
    return Text(*_styled(run))


def _styled(run: SyncReport) -> tuple[str, str]:
    return run.outcome, STYLES[run.outcome]
