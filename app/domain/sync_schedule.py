"""When a provider is synced next. Pure: time and chance come in as arguments."""

from datetime import datetime

from app.domain.backoff import Backoff, jittered
from app.domain.sync_runs import SyncOutcome, SyncReport

LONGEST_BACKOFF = 3600.0
"""Seconds. A provider that fails is asked at least this often: never given up."""

SLOW = 10.0
"""Seconds after which a run counts as slow."""

PAUSE_BETWEEN_SNAPSHOTS = 0.5
"""Seconds between two snapshots of a source that has more of them ready."""


def first_wait(interval: float, snapshot_at: datetime | None, now: datetime) -> float:
    """Seconds from `now` to the first sync of a process: none when the catalog is older than the interval.

    None either when it is from the future: some clock was wrong, and nobody knows its age.
    """
    age = _age(snapshot_at, now)
    return 0.0 if age is None else max(0.0, interval - age)


def next_wait(interval: float, report: SyncReport, failures: int, chance: float) -> float:
    """Seconds to the next sync after `report`, with `failures` failed runs since the last good one; `chance` in [0, 1).

    A provider that asks for a longer pause gets it, up to `LONGEST_BACKOFF`.
    """
    if report.more and report.outcome.is_good:
        return PAUSE_BETWEEN_SNAPSHOTS
    wait = interval
    if failures and report.outcome in (SyncOutcome.FAILED, SyncOutcome.SKIPPED):
        wait = max(interval, Backoff(interval, LONGEST_BACKOFF).delay(failures))
    return max(jittered(wait, chance), min(report.retry_after or 0.0, LONGEST_BACKOFF))


def count_failures(failures: int, report: SyncReport) -> int:
    """Count the failed runs since the last good one; a run that was skipped (an open circuit) says nothing new."""
    if report.outcome is SyncOutcome.SKIPPED:
        return failures
    return failures + 1 if report.outcome is SyncOutcome.FAILED else 0


def is_due(interval: float, snapshot_at: datetime | None, now: datetime) -> bool:
    """Tell whether a sync is worth its while: not when another process has just done it."""
    age = _age(snapshot_at, now)
    return age is None or age >= interval / 2


def full_is_due(every: float, full_at: datetime | None, now: datetime) -> bool:
    """Tell whether a feed is to be fetched whole, whatever its server says of changes: each `every` seconds, 0 never.

    Also when it was last done in the future: some clock was wrong, and nobody knows how long ago that is.
    """
    age = _age(full_at, now)
    return every > 0 and (age is None or age >= every)


def _age(snapshot_at: datetime | None, now: datetime) -> float | None:
    """Seconds since a snapshot; None without one, and for one from the future."""
    age = -1.0 if snapshot_at is None else (now - snapshot_at).total_seconds()
    return age if age >= 0 else None


def is_slow(report: SyncReport, failures: int) -> bool:
    """Tell whether a provider may keep others waiting, by its last run and the failed ones since the last good one."""
    return failures > 0 or report.took > SLOW
