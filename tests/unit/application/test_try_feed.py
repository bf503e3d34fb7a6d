"""Trying a feed: what is kept of its beginning, and that it is closed whatever happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from app.application.ports.feed_trials import FeedFindings, FeedInspector, FeedUnderTrial
from app.application.ports.providers import (
    FeedBrokenError,
    FeedError,
    FeedMark,
    FeedRefusedError,
    FeedWatcher,
    Provider,
)
from app.application.try_feed import MOST_RECORDS, MOST_REJECTIONS, Trial, TryFeed
from app.domain.feeds import FeedRecord, Rejection, RejectionReason, RememberedRecord, Tombstone
from app.domain.plans import PlanKey
from tests.support.builders import a_plan
from tests.support.scripted_provider import ScriptedSnapshot, a_record

FEED = FeedUnderTrial(url="https://feed.example/")
RECORD = a_record(a_plan(1))


def findings(kind: str | None = "mapped") -> FeedFindings:
    return FeedFindings(
        source="https://feed.example/",
        fetched_bytes=10,
        document_bytes=10,
        looked_at_bytes=10,
        format="json",
        encoding="utf-8",
        said="JSON",
        repeated=(),
        kind=kind,
        timezone="UTC",
        options={},
        entry=(),
    )


@dataclass
class OneSnapshot(Provider):
    snapshot: ScriptedSnapshot

    async def fetch(self, since: FeedMark | None, watcher: FeedWatcher | None = None) -> ScriptedSnapshot:  # noqa: ARG002
        return self.snapshot


@dataclass
class KnownFeed(FeedInspector):
    found: FeedFindings
    snapshot: ScriptedSnapshot = field(default_factory=lambda: ScriptedSnapshot([], "one"))

    async def inspect(self, feed: FeedUnderTrial) -> FeedFindings:  # noqa: ARG002
        return self.found

    def provider(self, feed: FeedUnderTrial, findings: FeedFindings) -> Provider:  # noqa: ARG002
        return OneSnapshot(self.snapshot)


async def tried(*batches: Sequence[FeedRecord], plans: int = 10, error: FeedError | None = None) -> Trial:
    return await TryFeed(KnownFeed(findings(), ScriptedSnapshot(batches, "one", error)))(FEED, plans)


def a_rejection(reason: RejectionReason = RejectionReason.INVALID_DATE) -> Rejection:
    return Rejection(reason=reason, message="found x, expected a date", line=3, source="<x/>")


async def test_what_cannot_be_mapped_is_not_read() -> None:
    trial = await TryFeed(KnownFeed(findings(None)))(FEED, 10)

    assert trial.reading is None


async def test_as_many_plans_are_kept_as_were_asked_for_and_all_are_counted() -> None:
    reading = (await tried([RECORD, RECORD], [RECORD], plans=2)).reading

    assert reading is not None
    assert (len(reading.plans), reading.usable, reading.is_whole, reading.broken) == (2, 3, True, None)


async def test_a_record_that_is_remembered_is_a_plan_like_others() -> None:
    remembered = RememberedRecord(RECORD.plan_id, RECORD.digest, lambda: RECORD)

    reading = (await tried([remembered])).reading

    assert reading is not None
    assert reading.plans == [RECORD.plan]


async def test_rejections_are_counted_by_reason_and_the_first_are_kept() -> None:
    many = [a_rejection() for _ in range(MOST_REJECTIONS + 1)]

    reading = (await tried([*many, a_rejection(RejectionReason.INVALID_ID), Tombstone(PlanKey("a", "b", "c"))])).reading

    assert reading is not None
    assert len(reading.rejections) == MOST_REJECTIONS
    assert reading.reasons == {RejectionReason.INVALID_DATE: MOST_REJECTIONS + 1, RejectionReason.INVALID_ID: 1}
    assert reading.withdrawn == 1
    assert reading.ignored == {"zone@colour": 2}


async def test_of_a_long_feed_the_beginning_is_read() -> None:
    reading = (await tried([RECORD] * MOST_RECORDS, [RECORD])).reading

    assert reading is not None
    assert (reading.usable, reading.is_whole) == (MOST_RECORDS, False)


@pytest.mark.parametrize(("line", "said"), [(7, "it ends (line 7)"), (0, "it ends")])
async def test_a_document_that_breaks_gives_what_came_before(line: int, said: str) -> None:
    reading = (await tried([RECORD], error=FeedBrokenError("it ends", line=line))).reading

    assert reading is not None
    assert (reading.usable, reading.is_whole, reading.broken) == (1, False, said)


async def test_a_snapshot_that_is_refused_is_closed() -> None:
    snapshot = ScriptedSnapshot([], "one", FeedRefusedError("a bomb"))

    with pytest.raises(FeedRefusedError):
        await TryFeed(KnownFeed(findings(), snapshot))(FEED, 10)

    assert snapshot.closed
