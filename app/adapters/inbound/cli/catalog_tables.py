"""The same facts for people (tables) and for programs (`--json`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from app.adapters.inbound.answering.answers import RejectionAnswer
from app.adapters.inbound.cli.listing import Cell, Listing
from app.adapters.inbound.cli.saying import say, say_styled
from app.application.read_catalog import ProviderStatus
from app.domain.plans import PlanDetails, SearchablePlan
from app.domain.proposed_changes import HeldChanges, ProposedChange
from app.domain.reconciliation import ChangeKind
from app.domain.rejection_list import StandingRejection
from app.domain.sync_runs import SyncOutcome, SyncReport

STYLES = {
    SyncOutcome.APPLIED: "green",
    SyncOutcome.UNCHANGED: "green",
    SyncOutcome.HELD: "yellow",
    SyncOutcome.INCOMPLETE: "yellow",
    SyncOutcome.SKIPPED: "yellow",
    SyncOutcome.UNUSABLE: "red",
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


def rejections_listing(provider: str, rows: Iterable[StandingRejection], *, mended: bool = False) -> Listing:
    """Records, and parts of some, that cannot be used, or could not be used before."""
    standing = f"nothing of {provider}'s feed is rejected; a record that cannot be used would stand here"
    empty = f"no rejection of {provider} was mended yet" if mended else standing
    return Listing.of(rows, _OF_REJECTION | (_MENDED if mended else {}), empty=empty)


def proposals_listing(rows: Iterable[ProposedChange]) -> Listing:
    """Plans that would change."""
    rows = list(rows)
    also = _ALSO if any(_differing(row) for row in rows) else {}
    return Listing.of(rows, _OF_PROPOSAL | also, empty="no plan would change")


def print_held(provider: str, held: HeldChanges | None) -> None:
    """Say what is held, and what can be done about it."""
    if held is None:
        say(f"the gate holds nothing of {provider}")
        return
    proposals_listing(held.plans).show()
    more = held.total - len(held.plans)
    say(f"{held.total:,} plans wait since {at(held.at)}" + (f", {more:,} of them are not shown" if more else ""))
    say(f"why: {held.reason}; `marquee sync {provider} --approve` applies them")


def print_report(run: SyncReport) -> None:
    """Say how one run went, in a few lines."""
    dry = " (dry run: nothing was written)" if run.dry_run else ""
    say_styled((run.provider, "bold"), " ", _styled(run), f"{dry} in {run.took:.2f} s")
    verb = "would change" if run.dry_run else "changed"
    say_styled(f"  {run.fetched_bytes:,} bytes, {run.records:,} records; {verb}: {counted(run.changes)}")
    optional = {
        "waiting": counted(run.waiting) if run.waiting else "",
        "settling": f"{run.settling:,} plans are absent, and wait until that counts" if run.settling else "",
        "rejected": f"{run.rejected:,} records; `marquee rejections {run.provider}` lists them" if run.rejected else "",
        "ignored": counted(run.ignored) if run.ignored else "",
        "passed over": f"{run.passed_over:,} records, as the configuration asks" if run.passed_over else "",
        "why": run.reason or "",
    }
    for name, text in optional.items():
        if text:
            say_styled(f"  {name}: {text}")
    if run.plans:
        proposals_listing(run.plans).show()


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
_OF_REJECTION: dict[str, Callable[[StandingRejection], Cell]] = {
    "line": lambda row: str(row.rejection.line),
    "+base": lambda row: RejectionAnswer.of(row)["base_id"] or "-",
    "+item": lambda row: RejectionAnswer.of(row)["item_id"] or "-",
    "+part": lambda row: row.rejection.part or "-",
    "+reason": lambda row: row.rejection.reason,
    "+since": lambda row: at(row.first_seen_at),
    ">times": lambda row: f"{row.times:,}",
    "+message": lambda row: row.rejection.message,
    "+source": lambda row: shortened(" ".join(row.rejection.source.split())),
}
_MENDED: dict[str, Callable[[StandingRejection], Cell]] = {"+mended": lambda row: at(row.mended_at)}


def _turned(say_of: Callable[[SearchablePlan], str]) -> Callable[[ProposedChange], Cell]:
    """Say what was and what would be; once when that is the same."""

    def cell(change: ProposedChange) -> Cell:
        before, after = (say_of(plan) if plan else "" for plan in (change.before, change.after))
        return before if before == after or not change.after else f"{before} -> {after}" if change.before else after

    return cell


def _prices(plan: SearchablePlan) -> str:
    prices = dict.fromkeys(
        f"{price}" for price in (plan.summary.min_price, plan.summary.max_price) if price is not None
    )
    return " to ".join(prices) or "-"


def _differing(change: ProposedChange) -> Sequence[str]:
    """Name what differs of a plan and has no column of its own."""
    before, after = change.before, change.after
    if before is None or after is None:
        return ()
    one, other = before.details or PlanDetails(), after.details or PlanDetails()
    names = [name for name in _DETAILS if getattr(one, name) != getattr(other, name)]
    names += ["time zone"] if before.timezone != after.timezone else []
    return names or (_UNSHOWN if ChangeKind.CHANGED in change.kinds and before == after else ())


_OF_PROPOSAL: dict[str, Callable[[ProposedChange], Cell]] = {
    "+what": lambda change: ", ".join(change.kinds).replace("_", " "),
    "+title": _turned(lambda plan: plan.summary.title),
    "+start": _turned(lambda plan: plan.summary.starts.isoformat(" ", "minutes")),
    "+end": _turned(lambda plan: plan.summary.ends.isoformat(" ", "minutes") if plan.summary.ends else "-"),
    "+prices": _turned(_prices),
    "+status": _turned(lambda plan: plan.status),
    "+plan": lambda change: str(change.plan_id),
}
_DETAILS = ("place", "url", "image", "category", "currency")
_UNSHOWN = ("zones, organizer or sale times",)
_ALSO: dict[str, Callable[[ProposedChange], Cell]] = {"+also": lambda change: ", ".join(_differing(change))}
