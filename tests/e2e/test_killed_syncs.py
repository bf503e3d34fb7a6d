"""kill -9 of a syncing process, 100 times at random: a plan has its new state exactly when the log has its entry.

Every sync of the test writes about half of 1,000 plans, in batches of 200, to a Redis that lives on.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from redis import Redis

from app.adapters.formats.stored_plan import unpack_plan
from app.adapters.outbound.redis.catalog_update import HEAD, KNOWN, LOG, PLANS, SUMMARIES
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.plan_catalog import STATE
from app.adapters.outbound.redis.plan_codec import unpack_known, unpack_searchable
from app.domain.plans import PlanId, PlanKey
from tests.support.feed_files import a_feed, an_item
from tests.support.redis_server import RedisServer
from tests.support.service import REPOSITORY
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]

KILLS = 100
"""Of a process that lived: a round in which it had ended by itself does not count."""
MEASURED = 5
"""Syncs that are left alone, to learn how long one takes."""
ITEMS = [str(number) for number in range(1000)]
IDS = {item: PlanKey("acme", item, item).plan_id for item in ITEMS}

Document = Mapping[str, str | None]
"""Item -> its title; None: it is not in the feed."""


@dataclass(frozen=True)
class Stored:
    """What Redis holds of one plan, as bytes: to be the same means to be the same to the last bit."""

    plan: bytes | None
    known: bytes | None
    summary: bytes | None

    @property
    def says(self) -> str | None:
        """The title that the feed gave, None while the plan is not in the feed."""
        if self.plan is None or self.known is None or not unpack_known(self.known).in_feed:
            return None
        return unpack_plan(self.plan).title


@dataclass(frozen=True)
class Snapshot:
    """What Redis holds at one instant, of all plans."""

    plans: Mapping[PlanId, Stored]
    sequence: int
    state: bytes | None
    """The provider's: with the mark of the feed that was committed last."""

    def document(self) -> Document:
        return {item: self.plans[IDS[item]].says for item in ITEMS}


class Catalog:
    """Reads Redis without our adapters."""

    def __init__(self, client: Redis) -> None:
        self._client: Any = client  # redis-py's types allow for its async client everywhere

    def look(self) -> Snapshot:
        parts = [self._client.hgetall(provider_key("acme", part)) for part in (PLANS, KNOWN, SUMMARIES)]
        assert set().union(*parts) <= {plan_id.bytes for plan_id in IDS.values()}
        return Snapshot(
            {plan_id: Stored(*(part.get(plan_id.bytes) for part in parts)) for plan_id in IDS.values()},
            self.sequence(),
            self._client.get(provider_key("acme", STATE)),
        )

    def sequence(self) -> int:
        return int(self._client.hget(provider_key("acme", HEAD), "sequence") or 0)

    def entries_after(self, sequence: int) -> list[Mapping[bytes, bytes]]:
        """Read the log from an entry on, and check that none is missing."""
        epoch = int(self._client.hget(provider_key("acme", HEAD), "epoch") or 0)
        found = self._client.xrange(provider_key("acme", LOG), f"({epoch}-{sequence}", "+")
        assert [entry_id.decode() for entry_id, _ in found] == [
            f"{epoch}-{sequence + number}" for number in range(1, len(found) + 1)
        ]
        return [fields for _, fields in found]


class Syncs:
    """Starts syncs, each in a process of its own (tests/support/forked_syncs.py)."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self) -> int:
        return self._tell("start")

    def wait(self) -> int:
        return self._tell("wait")

    def complete(self) -> None:
        """Sync to the end, as soon as the lease is free."""
        code = 3
        while code == 3:
            self.start()
            code = self.wait()
        assert code == 0

    def _tell(self, word: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def forking(redis: RedisServer, feed: Path) -> Iterator[Syncs]:
    command = [sys.executable, "-m", "tests.support.forked_syncs", str(redis.socket), feed.as_uri()]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Syncs(process)
        finally:
            process.kill()


def next_document(document: Document, number: int, chance: random.Random) -> Document:
    """Let half of the plans say something else, a few of them leave, and a few come back."""
    return {
        item: None if chance.random() < 0.05 else f"{item} in {number}" if chance.random() < 0.5 else title or item
        for item, title in document.items()
    }


def write(feed: Path, document: Document) -> None:
    new = feed.with_suffix(".new")
    new.write_text(a_feed(an_item(item, title=title) for item, title in document.items() if title))
    new.replace(feed)


def check(catalog: Catalog, before: Snapshot, target: Document) -> int:
    """Judge what a killed sync left: the number of plans that have their new state."""
    after = catalog.look()
    entries = catalog.entries_after(before.sequence)
    changed = [PlanId(bytes=entry[b"id"]) for entry in entries]
    item_of = {plan_id: item for item, plan_id in IDS.items()}

    assert after.sequence == before.sequence + len(entries)
    assert len(set(changed)) == len(changed)
    for plan_id, entry in zip(changed, entries, strict=True):
        now, then = after.plans[plan_id], before.plans[plan_id]
        assert now != then
        assert now.says == target[item_of[plan_id]]
        assert now.known == entry[b"known"]
        assert now.plan == entry.get(b"plan", then.plan)
        assert now.summary == entry.get(b"searchable", then.summary)
        assert now.summary is not None
        assert unpack_searchable("demo", plan_id, now.summary).summary.title == unpack_plan(now.plan or b"").title
    for plan_id in set(IDS.values()).difference(changed):
        assert after.plans[plan_id] == before.plans[plan_id]
    if after.state != before.state:  # the feed counts as done only when all of it was written
        assert after.document() == target
    return len(changed)


@pytest.mark.timeout(900)  # a hundred kills and twice as many syncs: four minutes beside other tests
def test_a_killed_sync_leaves_every_plan_before_or_after_with_its_entry_and_the_next_one_completes_the_rest(
    tmp_path: Path,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    chance = random.Random(seed)
    feed = tmp_path / "feed.xml"
    document: Document = dict.fromkeys(ITEMS, "at first")
    write(feed, document)
    kills: Counter[str] = Counter()
    took: list[float] = []
    latest: dict[bool, float] = {}
    """Waits for the first write? -> the latest moment to kill at, in seconds: learned, as other tests come and go."""
    with RedisServer() as redis, forking(redis, feed) as syncs, closing(redis.client()) as client:
        catalog = Catalog(client)
        syncs.complete()
        for number in itertools.count():
            before = catalog.look()
            document = next_document(document, number, chance)
            write(feed, document)
            must_change = len(differences(before.document(), document))

            if number < MEASURED:
                took.append(seconds_of(syncs))
            else:
                wait = bool(number % 2)
                longest = latest.setdefault(wait, median(took) / (10 if wait else 1))
                ended_before = kill_one(syncs, catalog, before, chance.uniform(0, longest), wait=wait)
                point = point_of(catalog, before, must_change)
                if not ended_before:
                    kills[point] += 1
                latest[wait] *= 0.9 if ended_before else 1.1 if point == "before the commit" else 1
            check(catalog, before, document)

            syncs.complete()
            assert check(catalog, before, document) == must_change
            assert catalog.look().document() == document
            if kills.total() == KILLS:
                break
    print(f"a sync takes {median(took) * 1000:.0f} ms; kills: {dict(kills)}")  # noqa: T201 - for `pytest -s`
    assert kills.total() == KILLS
    assert all(kills[point] for point in ("before the commit", "in the middle of a commit", "after the commit"))


def differences(one: Document, other: Document) -> list[str]:
    return [item for item in ITEMS if one[item] != other[item]]


def seconds_of(syncs: Syncs) -> float:
    began = time.monotonic()
    syncs.complete()
    return time.monotonic() - began


def kill_one(syncs: Syncs, catalog: Catalog, before: Snapshot, delay: float, *, wait: bool) -> bool:
    """Start a sync and kill it after a delay (with `wait`, from its first write on); tell whether it had ended."""
    child = syncs.start()
    if wait:
        until(lambda: catalog.sequence() > before.sequence)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)  # not reaped before `wait`, so the number is still its own
    code = syncs.wait()
    assert code in (0, -signal.SIGKILL)
    return code == 0


def point_of(catalog: Catalog, before: Snapshot, must_change: int) -> str:
    written = len(catalog.entries_after(before.sequence))
    if written == 0:
        return "before the commit"
    return "in the middle of a commit" if written < must_change else "after the commit"
