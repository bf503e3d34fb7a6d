"""What the memory adapters of the activities share: a queue, its readers and its dead letters as plain dicts."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import monotonic

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.application.ports.activities import DeadLetter
from app.domain.activities import Activity, ActivityId
from tests.fakes.store import MemoryStore


@dataclass(slots=True, eq=False)
class Entry:
    """What one append brought."""

    activities: Sequence[Activity]
    taken_at: float | None = None
    """By whom does not matter (`time.monotonic`, s); None: by nobody yet."""
    appended_at: float = field(default_factory=monotonic)
    trace: str | None = None

    @property
    def size(self) -> int:
        """Bytes, as good as any other measure."""
        return sum(len(repr(activity)) for activity in self.activities)


@dataclass(slots=True)
class Counts:
    """Counters that only grow."""

    accepted: int = 0
    duplicates: int = 0
    settled: int = 0
    accepted_bytes: int = 0
    settled_bytes: int = 0
    buried: int = 0
    retried: int = 0
    waited: float = 0.0


@dataclass(slots=True, eq=False)
class MemoryActivityStream:
    """One process's stand-in for Redis, as far as activities go; unavailable when `store` is."""

    store: MemoryStore = field(default_factory=MemoryStore)
    counts: Counts = field(default_factory=Counts)
    entries: dict[str, Entry] = field(default_factory=dict)
    letters: dict[str, DeadLetter] = field(default_factory=dict)
    seen: dict[ActivityId, float] = field(default_factory=dict)
    """When each id came (`time.monotonic`, s), oldest first."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with every append, cleared by whoever waits for the next one."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, activities: Sequence[Activity], trace: str | None = None) -> None:
        """Append an entry."""
        entry = Entry(activities, trace=trace)
        self.entries[str(next(self._numbers))] = entry
        self.counts.accepted += len(activities)
        self.counts.accepted_bytes += entry.size
        self.arrived.set()

    def finish(self, token: str) -> bool:
        """Remove an entry; False when it has gone already."""
        entry = self.entries.pop(token, None)
        if entry is None:
            return False
        self.counts.settled += len(entry.activities)
        self.counts.settled_bytes += entry.size
        self.counts.waited += len(entry.activities) * (monotonic() - entry.appended_at)
        return True

    def bury(self, dead: Sequence[Activity], reason: str) -> None:
        """Write a letter."""
        letter_id = str(next(self._numbers))
        self.letters[letter_id] = DeadLetter(letter_id, SYSTEM_CLOCK.now(), reason, dead)
        self.counts.buried += len(dead)

    def forget_ids(self, window: float) -> None:
        """Forget the ids that came more than `window` seconds ago."""
        too_old = monotonic() - window
        for activity_id in list(self.seen):
            if self.seen[activity_id] >= too_old:
                return
            del self.seen[activity_id]

    def lose_everything(self) -> None:
        """Become as empty as a server that was replaced."""
        self.counts = Counts()
        self.entries.clear()
        self.letters.clear()
        self.seen.clear()
