"""A provider whose snapshots a test writes down: what a feed might say, without a feed."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from app.application.ports.providers import (
    ConfiguredProvider,
    FeedError,
    FeedMark,
    FeedSnapshot,
    FeedUnchanged,
    FeedWatcher,
    Provider,
)
from app.domain.feeds import FeedRecord, PlanRecord
from app.domain.gate import GatePolicy
from app.domain.plans import Plan

OPEN_GATE = GatePolicy(min_plans=10**9)


def a_record(plan: Plan) -> PlanRecord:
    return PlanRecord(plan, blake2b(repr(plan).encode(), digest_size=16).digest())


@dataclass
class ScriptedSnapshot(FeedSnapshot):
    batches: Sequence[Sequence[FeedRecord]]
    name: str
    then_raise: FeedError | None = None
    has_more: bool = False
    incremental: bool = False
    """Then each batch is a page, whose number is the position in the mark."""
    passed_over: int = 0
    unknown_records: int = 0
    told_from: datetime | None = None
    closed: bool = False
    _pages: int = 0

    @property
    def mark(self) -> FeedMark:
        return FeedMark(content=self.name, position=str(self._pages) if self.incremental else None)

    @property
    def fetched_bytes(self) -> int:
        return 100

    @property
    def more(self) -> bool:
        return self.has_more

    @property
    def ignored(self) -> Mapping[str, int]:
        return {"zone@colour": 2}

    async def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        for batch in self.batches:
            self._pages += 1
            yield batch
        if self.then_raise:
            raise self.then_raise

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class ScriptedProvider(Provider):
    """Hands out `says` at each fetch until a test makes it say something else."""

    says: ScriptedSnapshot | Exception = field(default_factory=lambda: ScriptedSnapshot((), "empty"))
    newest: FeedMark | None = None
    """What marks the same content from now on, for whoever has an older mark of it."""
    fetched_since: list[FeedMark | None] = field(default_factory=list)

    @property
    def fetched_mark(self) -> FeedMark:
        """What marks what it says."""
        assert isinstance(self.says, ScriptedSnapshot)
        return self.says.mark

    async def fetch(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FeedSnapshot | FeedUnchanged | None:
        self.fetched_since.append(since)
        if isinstance(self.says, Exception):
            raise self.says
        if since and since.content == self.says.mark.content:
            return FeedUnchanged(self.newest) if self.newest not in {None, since} else None
        if watcher:
            watcher.fetched(self.says.fetched_bytes, None)
        return self.says

    def now_says(self, *records: FeedRecord | Plan, broken: FeedError | None = None, more: bool = False) -> None:
        self.says = a_snapshot(records, broken=broken, more=more)


def a_snapshot(
    records: Iterable[FeedRecord | Plan], *, broken: FeedError | None = None, more: bool = False, size: int = 3
) -> ScriptedSnapshot:
    """Build a snapshot that hands out `size` records at a time."""
    told = [a_record(record) if isinstance(record, Plan) else record for record in records]
    batches = [told[at : at + size] for at in range(0, len(told), size)]
    return ScriptedSnapshot(batches, blake2b(repr((told, broken)).encode()).hexdigest(), broken, more)


def configured(
    source: Provider,
    *,
    name: str = "demo",
    gate: GatePolicy = OPEN_GATE,
    interval: float = 60.0,
    max_plans: int = 1_000_000,
) -> ConfiguredProvider:
    return ConfiguredProvider(
        name=name,
        kind="scripted",
        url="memory",
        timezone="UTC",
        interval=interval,
        enabled=True,
        gate=gate,
        max_plans=max_plans,
        source=source,
    )
