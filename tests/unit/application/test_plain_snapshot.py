"""A kind that says nothing of tombstones, windows or filters: what the port assumes of its snapshots."""

from collections.abc import AsyncIterator, Mapping, Sequence

from app.application.ports.providers import FeedMark, FeedSnapshot
from app.domain.feeds import FeedRecord


class PlainSnapshot(FeedSnapshot):
    """As kinds were written before the port knew more."""

    mark = FeedMark(content="plain")
    fetched_bytes = 1
    more = False
    ignored: Mapping[str, int] = {}

    def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        raise NotImplementedError

    async def aclose(self) -> None: ...


def test_it_is_whole_and_tells_all_that_there_is() -> None:
    snapshot = PlainSnapshot()

    assert not snapshot.incremental
    assert snapshot.told_from is None
    assert (snapshot.passed_over, snapshot.unknown_records) == (0, 0)
