"""The provider contract over every kind, and over one that stands for a kind from outside the repository."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.providers.contract import PROVIDER, TIMEZONE, ProviderContract, Snapshot, Spoiled, a_plan
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.providers.reading.digests import plan_digest
from app.adapters.outbound.providers.recorded import RecordedProvider
from app.adapters.outbound.resilience.resilient_provider import ResilientProvider, RetryPolicy
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
from tests.support.feed_server import FeedServer, answer, validating
from tests.support.feeds import a_feed
from tests.support.mapped_feeds import JSON_PLANS, XML_DIALECT, json_feed

LOOPBACK = PinnedGet(policy=AddressPolicy(allow_private_networks=True))


class TestPlanListXmlOverHttp(ProviderContract):
    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with FeedServer(answer(500)) as self.server:
            yield

    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.snapshots = list(snapshots)
        await self.move_on()
        return PlanListXmlProvider(name=PROVIDER, url=self.server.url, timezone=TIMEZONE, get=LOOPBACK)

    async def move_on(self) -> None:
        self.server.answers(answer(200, a_feed(self.snapshots.pop(0))))

    async def unplug(self) -> None:
        self.server.stop()


class TestPlanListXmlOverHttpWithETags(TestPlanListXmlOverHttp):
    async def move_on(self) -> None:
        self.server.answers(validating(a_feed(self.snapshots.pop(0)), f'"{len(self.snapshots)}"'))


class TestPlanListXmlThroughRetriesAndABreaker(TestPlanListXmlOverHttp):
    async def provider(self, *snapshots: Snapshot) -> Provider:
        provider = await super().provider(*snapshots)
        retry = RetryPolicy(attempts=2, initial=0.01)
        return ResilientProvider(provider, name=PROVIDER, states=MemoryCircuitStates(), retry=retry)


class TestPlanListXmlInAFile(ProviderContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "feed.xml"

    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.snapshots = list(snapshots)
        await self.move_on()
        return PlanListXmlProvider(name=PROVIDER, url=self.path.as_uri(), timezone=TIMEZONE)

    async def move_on(self) -> None:
        self.path.write_bytes(a_feed(self.snapshots.pop(0), root="eventList"))

    async def unplug(self) -> None:
        self.path.unlink()


class TestPlanListXmlThatRemembers(TestPlanListXmlInAFile):
    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.snapshots = list(snapshots)
        await self.move_on()
        readings = self.path.with_name("readings")
        return PlanListXmlProvider(name=PROVIDER, url=self.path.as_uri(), timezone=TIMEZONE, readings=readings)

    async def test_what_was_read_well_is_remembered(self) -> None:
        provider = await self.provider([a_plan("1"), a_plan("2")], [a_plan("1"), a_plan("2", title="Another")])
        kinds = []
        for _ in range(2):
            snapshot = await provider.fetch(None)
            assert snapshot is not None
            assert not isinstance(snapshot, FeedUnchanged)
            kinds.append([type(record) async for batch in snapshot.records() for record in batch])
            await snapshot.aclose()
            if self.snapshots:
                await self.move_on()

        assert kinds == [[PlanRecord, PlanRecord], [RememberedRecord, PlanRecord]]


class TestMappedXmlOverHttp(TestPlanListXmlOverHttp):
    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.snapshots = list(snapshots)
        await self.move_on()
        return MappedProvider(
            name=PROVIDER, url=self.server.url, timezone=TIMEZONE, options=XML_DIALECT, get=LOOPBACK, rules="2026a"
        )


class TestMappedJsonInAFile(TestPlanListXmlInAFile):
    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.snapshots = list(snapshots)
        await self.move_on()
        return MappedProvider(name=PROVIDER, url=self.path.as_uri(), timezone=TIMEZONE, options=JSON_PLANS)

    async def move_on(self) -> None:
        self.path.write_bytes(json_feed(self.snapshots.pop(0)))


class TestRecorded(ProviderContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.files = [self.folder / f"{number}.xml" for number in range(len(snapshots))]
        for file, snapshot in zip(self.files, snapshots, strict=True):
            file.write_bytes(a_feed(snapshot))
        return RecordedProvider(name=PROVIDER, files=self.files, timezone=TIMEZONE)

    async def unplug(self) -> None:
        for file in self.files:
            file.unlink()


class JsonSnapshot(FeedSnapshot):
    def __init__(self, records: Sequence[FeedRecord], version: int, size: int, watcher: FeedWatcher | None) -> None:
        self._records = records
        self._version = version
        self._size = size
        self._watcher = watcher

    @property
    def mark(self) -> FeedMark:
        return FeedMark(content=f"version {self._version}")

    @property
    def fetched_bytes(self) -> int:
        return self._size

    @property
    def more(self) -> bool:
        return False

    @property
    def ignored(self) -> Mapping[str, int]:
        return {}

    async def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        if self._records:
            if self._watcher:
                self._watcher.read(len(self._records))
            yield self._records

    async def aclose(self) -> None:
        pass


class JsonProvider(Provider):
    """A kind that somebody else might write: one JSON document with a version."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self, since: FeedMark | None, watcher: FeedWatcher | None = None) -> FeedSnapshot | None:
        try:
            text = self._path.read_text()
        except OSError as error:
            raise FeedUnavailableError(f"{self._path}: {error.strerror}") from error
        document = json.loads(text)
        if watcher:
            watcher.fetched(len(text), len(text))
        if since and since.content == f"version {document['version']}":
            return None
        return JsonSnapshot(_json_records(document["plans"]), document["version"], len(text), watcher)


def _json_records(items: Sequence[Mapping[str, Any]]) -> list[FeedRecord]:
    records: list[FeedRecord] = []
    seen: dict[PlanKey, bytes] = {}
    for number, item in enumerate(items, 1):
        key = PlanKey(PROVIDER, item["base"], item["item"])
        if "title" not in item:
            records.append(_rejection(RejectionReason.MISSING_ATTRIBUTE, number, item, key))
            continue
        plan = _json_plan(item, key)
        digest = plan_digest(plan)
        if key not in seen:
            seen[key] = digest
            records.append(PlanRecord(plan, digest))
        elif seen[key] != digest:
            records.append(_rejection(RejectionReason.DUPLICATE, number, item, key))
    return records


def _rejection(reason: RejectionReason, line: int, item: Mapping[str, Any], key: PlanKey) -> Rejection:
    return Rejection(reason=reason, message=f"item {line}: {reason}", line=line, source=json.dumps(item), key=key)


def _json_plan(item: Mapping[str, Any], key: PlanKey) -> Plan:
    return Plan(
        key=key,
        title=item["title"],
        sell_mode=SellMode(item["mode"]),
        starts=datetime.fromisoformat(item["starts"]),
        ends=datetime.fromisoformat(item["ends"]),
        timezone=TIMEZONE,
        organizer_id=item["organizer"],
        sell_from=item["from"] and datetime.fromisoformat(item["from"]),
        sell_to=item["to"] and datetime.fromisoformat(item["to"]),
        sold_out=item["sold_out"],
        zones=tuple(Zone(zone, left, Decimal(price), name, seats) for zone, left, price, name, seats in item["zones"]),
    )


def _json_item(plan: Plan | Spoiled) -> dict[str, object]:
    item: dict[str, object] = {"base": plan.key.base_id, "item": plan.key.item_id}
    if isinstance(plan, Spoiled):
        return item
    return item | {
        "title": plan.title,
        "mode": plan.sell_mode,
        "starts": plan.starts.isoformat(),
        "ends": plan.ends and plan.ends.isoformat(),
        "organizer": plan.organizer_id,
        "from": plan.sell_from and plan.sell_from.isoformat(),
        "to": plan.sell_to and plan.sell_to.isoformat(),
        "sold_out": plan.sold_out,
        "zones": [[zone.zone_id, zone.capacity, str(zone.price), zone.name, zone.numbered] for zone in plan.zones],
    }


class TestAKindFromOutside(ProviderContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "feed.json"

    async def provider(self, *snapshots: Snapshot) -> Provider:
        self.snapshots = list(snapshots)
        await self.move_on()
        return JsonProvider(self.path)

    async def move_on(self) -> None:
        plans = [_json_item(plan) for plan in self.snapshots.pop(0)]
        self.path.write_text(json.dumps({"version": len(self.snapshots), "plans": plans}))

    async def unplug(self) -> None:
        self.path.unlink()
