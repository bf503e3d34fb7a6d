"""The contract of a Provider as tests, for every kind, also for kinds from outside this repository.

    from app.adapters.outbound.providers.contract import ProviderContract, Snapshot

    class TestMyProvider(ProviderContract):
        async def provider(self, *snapshots: Snapshot) -> Provider: ...
        async def move_on(self) -> None: ...
        async def unplug(self) -> None: ...

Run it with pytest and pytest-asyncio (`asyncio_mode = auto`, or `pytestmark = pytest.mark.asyncio`).
"""

# ruff: noqa: D102, S101 - these are tests, and each one's name is its rule

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.application.ports.providers import (
    FeedMark,
    FeedSnapshot,
    FeedUnavailableError,
    FeedUnchanged,
    FeedWatcher,
    Provider,
)
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, RememberedRecord
from app.domain.plans import Plan, PlanKey, SellMode, Zone

PROVIDER = "contract"
"""The name of the provider under test: the first part of each of its keys."""
TIMEZONE = "Europe/Madrid"
"""The time zone that it is to be configured with."""

_DIGEST_SIZE = 16


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A record that nobody can use, whatever that is in the source's format (an end before the start, for one)."""

    key: PlanKey


Snapshot = Sequence[Plan | Spoiled]
"""What the source says at one time, in its order. A key may stand in it twice."""


@dataclass
class RecordingWatcher(FeedWatcher):
    """Remembers what it was told."""

    received: list[int] = field(default_factory=list)
    records: list[int] = field(default_factory=list)

    def fetched(self, received: int, total: int | None) -> None:
        """Remember the bytes."""
        assert total is None or received <= total
        self.received.append(received)

    def read(self, records: int) -> None:
        """Remember the records."""
        self.records.append(records)


class ProviderContract:
    """What Marquee relies on in every Provider. Each test is the rule in its name."""

    @abstractmethod
    async def provider(self, *snapshots: Snapshot) -> Provider:
        """Make the provider under test; its source says the first snapshot. Called once a test."""
        raise NotImplementedError

    async def move_on(self) -> None:
        """Make the source say the next snapshot. Nothing to do where the source moves on by itself."""

    @abstractmethod
    async def unplug(self) -> None:
        """Make the source unreachable."""
        raise NotImplementedError

    async def test_every_record_is_handed_out_in_the_order_of_the_source(self) -> None:
        plans = [a_plan(str(number), title=f"Concert {number}") for number in range(25)]
        provider = await self.provider(plans)

        records = await _all(await _fetched(provider))

        assert [record.plan for record in records if isinstance(record, PlanRecord)] == plans
        assert len(records) == len(plans)

    async def test_a_plan_keeps_everything_that_its_source_says(self) -> None:
        zones = (
            Zone("186", 2, Decimal("75.00"), "Amfiteatre", numbered=True),
            Zone("186", 0, Decimal("0.00"), "Amfiteatre", numbered=False),
        )
        plans = [
            a_plan("1", title="Ñandú & <friends>", organizer_id="7", sell_mode=SellMode.OFFLINE, sold_out=True),
            a_plan("2", zones=zones, sell_from=None, sell_to=None, organizer_id=None),
            a_plan("3", zones=(), starts=datetime(2021, 7, 31, 20), ends=datetime(2021, 7, 31, 20)),  # noqa: DTZ001
        ]
        provider = await self.provider(plans)

        assert await _plans(await _fetched(provider)) == plans

    async def test_an_item_id_may_repeat_under_another_base(self) -> None:
        plans = [a_plan("1642", base="322"), a_plan("1642", base="1591"), a_plan("1643", base="1591")]
        provider = await self.provider(plans)

        assert [plan.key for plan in await _plans(await _fetched(provider))] == [plan.key for plan in plans]

    async def test_a_digest_follows_from_the_content_alone(self) -> None:
        same, before, after = a_plan("1"), a_plan("2"), a_plan("2", title="Another")
        provider = await self.provider([same, before], [after, same])

        first = await _fetched(provider)
        digests_before = _digests(await _all(first))
        await self.move_on()
        digests_after = _digests(await _all(await _fetched(provider, first.mark)))

        assert digests_before[same.key] == digests_after[same.key]
        assert digests_before[before.key] != digests_after[after.key]
        assert all(len(digest) == _DIGEST_SIZE for digest in digests_before.values())

    async def test_a_record_that_cannot_be_used_costs_no_other_one(self) -> None:
        good = [a_plan(str(number)) for number in range(10)]
        spoiled = Spoiled(PlanKey(PROVIDER, "666", "666"))
        provider = await self.provider([*good[:5], spoiled, *good[5:]])

        records = await _all(await _fetched(provider))

        assert [record.plan for record in records if isinstance(record, PlanRecord)] == good
        [rejection] = [record for record in records if isinstance(record, Rejection)]
        assert rejection.key == spoiled.key or rejection.base_id == spoiled.key.base_id
        assert rejection.message
        assert 0 < len(rejection.source) <= 2_000  # noqa: PLR2004 - as the port says

    async def test_a_rejection_comes_back_for_as_long_as_its_record_is_read(self) -> None:
        """Only what was read without one may be remembered: the list of rejections says what is wrong now."""
        provider = await self.provider([a_plan("1"), Spoiled(PlanKey(PROVIDER, "666", "666"))])

        found = [await _all(await _fetched(provider)) for _ in range(2)]

        first, again = ([record for record in records if isinstance(record, Rejection)] for records in found)
        assert first == again
        assert len(again) == 1

    async def test_a_record_that_is_remembered_reads_as_the_record_that_it_was(self) -> None:
        provider = await self.provider([a_plan("1"), a_plan("2", title="Another")])

        first, again = [await _handed_out(await _fetched(provider)) for _ in range(2)]

        assert [_read_anew(record) for record in again] == first
        assert _named(again) == _named(first)

    async def test_a_source_of_plain_plans_passes_nothing_over_and_has_no_unknown_records(self) -> None:
        snapshot = await _fetched(await self.provider([a_plan("1")]))
        await _all(snapshot)

        assert (snapshot.passed_over, snapshot.unknown_records) == (0, 0)

    async def test_a_key_is_taken_once_and_its_first_record_stays(self) -> None:
        first, again = a_plan("1"), a_plan("1", title="Another")
        provider = await self.provider([first, first, again])

        records = await _all(await _fetched(provider))

        assert [record.plan for record in records if isinstance(record, PlanRecord)] == [first]
        [rejection] = [record for record in records if isinstance(record, Rejection)]
        assert rejection.reason is RejectionReason.DUPLICATE
        assert rejection.key == first.key

    async def test_a_source_that_sells_nothing_is_a_snapshot_without_records(self) -> None:
        provider = await self.provider([])

        assert await _all(await _fetched(provider)) == []

    async def test_a_snapshot_that_is_marked_is_not_brought_again(self) -> None:
        provider = await self.provider([a_plan("1")])
        snapshot = await _fetched(provider)
        await _all(snapshot)

        assert await _is_unchanged(provider, snapshot.mark)
        assert await _is_unchanged(provider, snapshot.mark)

    async def test_a_snapshot_that_is_not_marked_is_brought_again(self) -> None:
        """A sync that failed saves no mark, and must meet the same records again."""
        plans = [a_plan("1"), a_plan("2")]
        provider = await self.provider(plans, [a_plan("3")])

        first = await _plans(await _fetched(provider))
        again = await _plans(await _fetched(provider))

        assert first == again == plans

    async def test_a_changed_source_gives_another_snapshot_and_another_mark(self) -> None:
        provider = await self.provider([a_plan("1")], [a_plan("2")])
        first = await _fetched(provider)
        await _all(first)
        await self.move_on()

        second = await _fetched(provider, first.mark)

        assert await _plans(second) == [a_plan("2")]
        assert second.mark != first.mark
        assert await _is_unchanged(provider, second.mark)

    async def test_a_mark_that_it_does_not_know_counts_as_none(self) -> None:
        """The configuration may have given the provider's name to another source."""
        provider = await self.provider([a_plan("1")])

        snapshot = await _fetched(provider, FeedMark("nobody's", "never", "nothing"))

        assert await _plans(snapshot) == [a_plan("1")]

    async def test_a_mark_is_text_that_can_be_kept(self) -> None:
        provider = await self.provider([a_plan("1")])
        snapshot = await _fetched(provider)
        await _all(snapshot)

        mark = FeedMark(**json.loads(json.dumps(asdict(snapshot.mark))))

        assert await _is_unchanged(provider, mark)

    async def test_a_source_that_cannot_be_reached_is_unavailable(self) -> None:
        provider = await self.provider([a_plan("1")])
        await self.unplug()

        try:
            await provider.fetch(None)
        except FeedUnavailableError as error:
            assert str(error)  # noqa: PT017 - without pytest
        else:
            raise AssertionError("expected a FeedUnavailableError")

    async def test_a_snapshot_can_be_closed_unread_and_twice(self) -> None:
        provider = await self.provider([a_plan("1")])
        snapshot = await _fetched(provider)

        await snapshot.aclose()
        await snapshot.aclose()

    async def test_a_snapshot_can_be_left_in_the_middle(self) -> None:
        provider = await self.provider([a_plan(str(number)) for number in range(1_000)])
        snapshot = await _fetched(provider)

        async for _ in snapshot.records():
            break
        await snapshot.aclose()

        assert len(await _plans(await _fetched(provider))) == 1_000  # noqa: PLR2004 - as above

    async def test_a_watcher_sees_every_record(self) -> None:
        provider = await self.provider([a_plan(str(number)) for number in range(25)])
        watcher = RecordingWatcher()

        snapshot = await _fetched(provider, watcher=watcher)
        records = await _all(snapshot)

        assert watcher.records == sorted(watcher.records)
        assert watcher.records[-1] == len(records)
        assert watcher.received == sorted(watcher.received)
        assert snapshot.fetched_bytes >= 0


def a_plan(item_id: str, *, base: str | None = None, **other: object) -> Plan:
    """Build a plan of the provider under test; `other` are fields of Plan."""
    plan = Plan(
        key=PlanKey(PROVIDER, base or f"base-{item_id}", item_id),
        title="Camela en concierto",
        sell_mode=SellMode.ONLINE,
        starts=datetime(2021, 6, 30, 21),  # noqa: DTZ001 - a provider's wall clock
        ends=datetime(2021, 6, 30, 22),  # noqa: DTZ001 - the same
        timezone=TIMEZONE,
        sell_from=datetime(2020, 7, 1),  # noqa: DTZ001 - the same
        sell_to=datetime(2021, 6, 30, 20),  # noqa: DTZ001 - the same
        zones=(Zone("40", 243, Decimal("20.00"), "Platea", numbered=True),),
    )
    return replace(plan, **other)  # type: ignore[arg-type] # fields of Plan


async def _fetched(
    provider: Provider, since: FeedMark | None = None, watcher: FeedWatcher | None = None
) -> FeedSnapshot:
    snapshot = await provider.fetch(since, watcher)
    assert snapshot is not None, "expected a snapshot, found none that is new"
    assert not isinstance(snapshot, FeedUnchanged), "expected a snapshot, found none that is new"
    return snapshot


async def _is_unchanged(provider: Provider, since: FeedMark) -> bool:
    fetched = await provider.fetch(since)
    return fetched is None or isinstance(fetched, FeedUnchanged)


async def _all(snapshot: FeedSnapshot) -> list[FeedRecord]:
    """Read all there is, what is remembered after all."""
    return [_read_anew(record) for record in await _handed_out(snapshot)]


async def _handed_out(snapshot: FeedSnapshot) -> list[FeedRecord]:
    try:
        return [record async for batch in snapshot.records() for record in batch]
    finally:
        await snapshot.aclose()


async def _plans(snapshot: FeedSnapshot) -> list[Plan]:
    return [record.plan for record in await _all(snapshot) if isinstance(record, PlanRecord)]


def _read_anew(record: FeedRecord) -> FeedRecord:
    return record.read() if isinstance(record, RememberedRecord) else record


def _named(records: Sequence[FeedRecord]) -> list[tuple[UUID, bytes]]:
    return [(one.plan_id, one.digest) for one in records if isinstance(one, PlanRecord | RememberedRecord)]


def _digests(records: Sequence[FeedRecord]) -> dict[PlanKey, bytes]:
    return {record.plan.key: record.digest for record in records if isinstance(record, PlanRecord)}
