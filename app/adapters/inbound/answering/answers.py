"""How the edge says what the core knows: plain values in words that stay, for HTTP and `--json`."""

from datetime import datetime
from typing import Any

from app.adapters.formats.iso_8601 import rfc_3339
from app.application.ports.catalog import CatalogPlan
from app.application.ports.history import PastState
from app.application.read_catalog import PlanDescription, ProviderStatus
from app.application.restore_catalog import Restoration
from app.domain.feeds import Rejection
from app.domain.sync_runs import SyncReport


def instant(at: datetime | None) -> str | None:
    """RFC 3339, UTC, with milliseconds; of none, none."""
    return rfc_3339(at) if at else None


def wall_clock(at: datetime | None) -> str | None:
    """A provider's own clock: no offset."""
    return at.isoformat() if at else None


def plan_answer(description: PlanDescription) -> dict[str, Any]:
    """Everything known of one plan."""
    plan, known = description.found.plan, description.found.known
    return {
        "id": str(plan.key.plan_id),
        "provider": plan.key.provider,
        "base_id": plan.key.base_id,
        "item_id": plan.key.item_id,
        "title": plan.title,
        "sell_mode": plan.sell_mode,
        "organizer_id": plan.organizer_id,
        **_times(description.found),
        "sold_out": plan.sold_out,
        "min_price": plan.prices.lowest if plan.prices else None,
        "max_price": plan.prices.highest if plan.prices else None,
        "zones": [zone._asdict() for zone in plan.zones],
        "in_feed": known.in_feed,
        "searchable": known.seen_online,
        "first_seen_at": instant(known.first_seen_at),
        "last_seen_at": instant(description.last_seen_at),
        "withdrawn_at": instant(known.withdrawn_at),
    }


def past_answer(state: PastState) -> dict[str, Any]:
    """A state that a plan was known in: what brought it, and everything known of the plan from then on."""
    change = {"at": instant(state.at), "kinds": list(state.kinds), "run_id": state.run_id}
    return change | plan_answer(PlanDescription(state.found, state.found.known.last_seen_at))


def restoration_answer(done: Restoration) -> dict[str, Any]:
    """What came back from the journal, in plans."""
    return {"provider": done.provider, "restored": done.restored, "present": done.present}


def _times(found: CatalogPlan) -> dict[str, Any]:
    plan, (starts_at, ends_at) = found.plan, found.instants
    return {
        "timezone": plan.timezone,
        "starts": wall_clock(plan.starts),
        "ends": wall_clock(plan.ends),
        "starts_at": instant(starts_at),
        "ends_at": instant(ends_at),
        "sell_from": wall_clock(plan.sell_from),
        "sell_to": wall_clock(plan.sell_to),
    }


def provider_answer(status: ProviderStatus) -> dict[str, Any]:
    """A provider and how it fares."""
    provider, circuit = status.provider, status.circuit
    return {
        "name": provider.name,
        "kind": provider.kind,
        "url": provider.url,
        "timezone": provider.timezone,
        "interval": provider.interval,
        "enabled": provider.enabled,
        "trouble": provider.trouble,
        "last_good_sync_at": instant(status.snapshot_at),
        "waiting_for_approval": status.waiting,
        "circuit": {"state": circuit.state, "failures": circuit.failures, "reason": circuit.reason},
        "last_run": run_answer(status.last_run) if status.last_run else None,
    }


def run_answer(report: SyncReport) -> dict[str, Any]:
    """One run of a sync."""
    return {
        "run_id": report.run_id,
        "provider": report.provider,
        "started_at": instant(report.started_at),
        "took": round(report.took, 3),
        "outcome": report.outcome,
        "dry_run": report.dry_run,
        "reason": report.reason,
        "bytes": report.fetched_bytes,
        "records": report.records,
        "changes": dict(report.changes),
        "waiting": dict(report.waiting),
        "held_for": list(report.held_for),
        "rejected": report.rejected,
        "rejected_for": dict(report.rejected_for),
        "ignored": dict(report.ignored),
    }


def rejection_answer(rejection: Rejection) -> dict[str, Any]:
    """A record that could not be used."""
    return {
        "reason": rejection.reason,
        "message": rejection.message,
        "line": rejection.line,
        "base_id": rejection.key.base_id if rejection.key else rejection.base_id,
        "item_id": rejection.key.item_id if rejection.key else None,
        "source": rejection.source,
    }
