"""The same facts for people (tables) and for programs (`--json`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    empty = "no provider is configured: name one under `providers` in the configuration (`marquee init` shows how)"
    return Listing.of(rows, _OF_PROVIDER, empty=empty)


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
    empty = f"{provider} was not synced yet: `marquee sync {provider}` does it now, a scheduler by itself"
    return Listing.of(rows, _OF_RUN | _REASON if reasons else _OF_RUN, empty=empty)


def rejections_listing(provider: str, rows: Iterable[Rejection]) -> Listing:
    """Records that could not be used."""
    empty = f"nothing of {provider}'s last feed was rejected; a record that cannot be used would stand here"
    return Listing.of(rows, _OF_REJECTION, empty=empty)


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


_OF_PROVIDER: Mapping[str, Callable[[ProviderStatus], Cell]] = {
    "+name": lambda row: row.provider.name,
    "+kind": lambda row: row.provider.kind,
    "every": lambda row: f"{row.provider.interval:g} s",
    "enabled": lambda row: "yes" if row.provider.enabled else "no",
    "+last good sync": lambda row: at(row.snapshot_at),
    "+last run": lambda row: _outcome(row.last_run) if row.last_run else "none yet",
    "circuit": lambda row: row.circuit.state,
    "+held": lambda row: "waits for --approve" if row.waiting else "-",
}
_OF_RUN: dict[str, Callable[[SyncReport], Cell]] = {
    "+started": lambda run: at(run.started_at),
    ">took": lambda run: f"{run.took:.2f} s",
    "outcome": _outcome,
    ">bytes": lambda run: f"{run.fetched_bytes:,}",
    ">records": lambda run: f"{run.records:,}",
    "+changes": lambda run: counted(run.changes),
    "+waiting": lambda run: counted(run.waiting),
    ">rejected": lambda run: f"{run.rejected:,}",
}
_REASON: dict[str, Callable[[SyncReport], Cell]] = {"+why": lambda run: run.reason or "-"}
_OF_REJECTION: Mapping[str, Callable[[Rejection], Cell]] = {
    "line": lambda row: str(row.line),
    "+base": lambda row: RejectionAnswer.of(row)["base_id"] or "-",
    "+item": lambda row: RejectionAnswer.of(row)["item_id"] or "-",
    "+reason": lambda row: row.reason,
    "+message": lambda row: row.message,
    "+source": lambda row: shortened(" ".join(row.source.split())),
}
