"""Trying a feed that no provider is configured for: what it is, how to map it, and which plans that gives."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.application.ports.feed_trials import FeedFindings, FeedInspector, FeedUnderTrial
from app.application.ports.providers import FeedBrokenError, FeedSnapshot, FeedUnchanged
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, RememberedRecord
from app.domain.plans import Plan

MOST_RECORDS = 5_000
"""That are read of a feed: whoever tries it waits."""
MOST_REJECTIONS = 20
"""That are kept; the others are counted."""


@dataclass(slots=True, kw_only=True)
class TrialReading:
    """What the first records of a feed are by a mapping."""

    plans: list[Plan] = field(default_factory=list)
    """The first ones, as many as were asked for."""
    usable: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    """The first ones."""
    reasons: Counter[RejectionReason] = field(default_factory=Counter)
    """How many of each there are, parts of records included."""
    withdrawn: int = 0
    """Tombstones."""
    passed_over: int = 0
    """By `where`."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """What nobody knows, and how often it occurs."""
    is_whole: bool = False
    """Whether it was read to its end."""
    broken: str | None = None
    """Where the document breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it."""

    findings: FeedFindings
    reading: TrialReading | None
    """None when nothing says how to read it."""


@dataclass(frozen=True, slots=True)
class TryFeed:
    """Looks at a feed and reads its beginning; writes nothing."""

    inspector: FeedInspector

    async def __call__(self, feed: FeedUnderTrial, plans: int) -> Trial:
        """Try a feed, and give this many of its plans.

        Raises:
            FeedError: it cannot be had, or will not be read.
        """
        findings = await self.inspector.inspect(feed)
        if findings.kind is None:
            return Trial(findings=findings, reading=None)
        snapshot = await self.inspector.provider(feed, findings).fetch(None)
        assert not isinstance(snapshot, FeedUnchanged | None)  # noqa: S101 - nothing is known yet
        try:
            return Trial(findings=findings, reading=await _read(snapshot, plans))
        finally:
            await snapshot.aclose()


async def _read(snapshot: FeedSnapshot, plans: int) -> TrialReading:
    reading = TrialReading()
    records = 0
    try:
        async for batch in snapshot.records():
            records += len(batch)
            _take(reading, batch, plans)
            if records >= MOST_RECORDS:
                break
        else:
            reading.is_whole = True
    except FeedBrokenError as error:
        reading.broken = f"{error} (line {error.line})" if error.line else str(error)
    reading.passed_over = snapshot.passed_over
    reading.ignored = dict(snapshot.ignored)
    return reading


def _take(reading: TrialReading, batch: Sequence[FeedRecord], plans: int) -> None:
    for record in batch:
        match record:
            case RememberedRecord(read=read):
                _take(reading, [read()], plans)
            case PlanRecord(plan=plan):
                reading.usable += 1
                if len(reading.plans) < plans:
                    reading.plans.append(plan)
            case Rejection(reason=reason):
                reading.reasons[reason] += 1
                if len(reading.rejections) < MOST_REJECTIONS:
                    reading.rejections.append(record)
            case _:  # a tombstone
                reading.withdrawn += 1
