"""The ports of the activities: the queue between door and worker, the store behind it, the stats in front of it."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from app.application.ports.imports import ImportId
from app.domain.activities import Activity
from app.domain.rollups import Day
from app.domain.stats import Cell, Granularity, TypeCount, TypeRanking, TypeTotal


class QueueFullError(Exception):
    """The backlog has reached its limit: nothing was taken. Try again once workers have drained some of it."""


class ActivityQueue(Protocol):
    """Where the door puts activities."""

    @abstractmethod
    async def append(self, activities: Sequence[Activity]) -> Collection[int]:
        """Append those whose id is new; return the positions (0, 1, ...) of the others: duplicates.

        Deduplication and append are one atomic step: after a crash both are there or none. An id is remembered for the
        configured window at least; of two equal ids in `activities` the first counts. What was appended survives
        `kill -9` of every process, the queue's own server included.

        Raises:
            QueueFullError: nothing was appended.
            LiveStateUnavailableError: whether it was appended is unknown; the same ids again are safe.
        """


class TypeBound(Protocol):
    """How many distinct types of activities there may be: what is counted by type has an end then."""

    most: int
    """So many; those that were there before it was set stay, however many they are."""

    @abstractmethod
    async def refused(self, types: Collection[str]) -> Collection[str]:
        """Admit types that are known, and new ones, in order, while there is room; return those that find none.

        A type that was admitted is known from then on.

        Raises:
            LiveStateUnavailableError: or
            HistoryUnavailableError: by where they are kept; some may have been admitted.
        """


class ActivityTypes(TypeBound, Protocol):
    """The types that were ever admitted, for all doors together: never more than `most` through `refused`."""

    @abstractmethod
    async def note(self, types: Collection[str]) -> None:
        """Make types known, whatever their number.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def size(self) -> int:
        """Count those that are known."""


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """What one append brought, in order."""

    token: str
    """What the queue calls it."""
    activities: Sequence[Activity]
    trace: str | None = None
    """What the door noted for whoever watches requests on their way; means nothing here."""


class ActivityInbox(Protocol):
    """Where a worker takes activities from. Each batch goes to one worker, and to another when that one is gone.

    At least once: a batch may come again until it was settled or buried, also to somebody else meanwhile.
    """

    @abstractmethod
    async def take(self) -> Sequence[QueuedBatch]:
        """Wait up to about a second for batches; those first that a worker which is gone has left.

        A batch that cannot be read is buried by the inbox itself.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def settle(self, batches: Sequence[QueuedBatch]) -> None:
        """Note that batches are stored: they will not come again. Safe to repeat."""

    @abstractmethod
    async def bury(self, batch: QueuedBatch, dead: Sequence[Activity], reason: str) -> None:
        """Settle a batch of which some activities could not be stored: those become a dead letter. One atomic step."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Activities that can never be stored as they are, and why."""

    letter_id: str
    buried_at: datetime
    reason: str
    activities: Sequence[Activity]
    """Empty when the entry could not even be read; then `source` shows its beginning."""
    source: str | None = None


class DeadLetters(Protocol):
    """The activities that could not be stored; kept until an operator decides."""

    @abstractmethod
    async def list(self, limit: int) -> Sequence[DeadLetter]:
        """List the oldest `limit`.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def retry(self, letter_ids: Collection[str]) -> int:
        """Put letters back into the queue, each in one atomic step; return how many. Unreadable ones stay."""

    @abstractmethod
    async def drop(self, letter_ids: Collection[str]) -> int:
        """Forget letters; return how many were there."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How the queue fares. Counts are of activities, since the first one ever."""

    accepted: int
    duplicates: int
    settled: int
    """Stored, or found to be stored already, or buried."""
    dead_letters: int
    """That wait for an operator now; letters, not activities."""
    backlog: int
    """Accepted and not settled."""
    backlog_bytes: int
    buried: int = 0
    """Settled because they could not be stored: they became part of a dead letter."""
    retried: int = 0
    """Accepted once more, out of a dead letter."""
    waited: float = 0.0
    """Seconds from append to settled, added up over `timed` activities."""
    timed: int = 0
    """Settled since waits are measured."""
    oldest_age: float = 0.0
    """Seconds since the oldest was appended that is not settled; 0 when none waits."""
    refusal: str | None = None
    """Why the queue's server takes no writes now; None when it does."""

    @property
    def received(self) -> int:
        """Accepted at the door; duplicates do not count."""
        return self.accepted - self.retried

    @property
    def processed(self) -> int:
        """Stored, or found to be stored already."""
        return self.settled - self.buried

    @property
    def average_wait(self) -> float:
        """Seconds from append to settled on average; 0 before the first."""
        return self.waited / self.timed if self.timed else 0.0


class QueueWatch(Protocol):
    """Where the queue's figures are to be had."""

    @abstractmethod
    async def figures(self) -> QueueFigures:
        """Look at all of them at one instant.

        Raises:
            LiveStateUnavailableError: nobody can tell now.
        """


class NotStorableError(Exception):
    """The store refuses what it was given, and will refuse it for ever; the message says what and why."""


class ActivityStore(Protocol):
    """Where activities are kept for ever, with the rollups that follow from them."""

    @abstractmethod
    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:
        """Store those whose id is new, fold exactly these into the rollups, in one transaction; return their number.

        Of two equal ids in `activities` the first counts. Order and splitting do not matter, several callers may store
        at the same time. After a crash all of it is there or nothing. What an import brings carries its id, and is
        counted as stored by it.

        Raises:
            ImportUndoneError: the import was undone; nothing was stored.
            NotStorableError: nothing was stored.
            HistoryUnavailableError: whether it was stored is unknown; doing it again is safe.
        """


class Stats(Protocol):
    """The rollups, read. Every answer costs what it holds, not what was stored.

    All methods raise HistoryUnavailableError when nobody can tell now.
    """

    @abstractmethod
    async def totals(self, after: str = "", limit: int | None = None) -> Sequence[TypeTotal]:
        """List the types ever seen since the last reset, by name (by bytes): the first `limit` behind `after`."""

    @abstractmethod
    async def total(self, type_: str) -> TypeTotal | None:
        """Find one of them."""

    @abstractmethod
    async def ranking(self, limit: int) -> TypeRanking:
        """Count all of them and list the `limit` most frequent."""

    @abstractmethod
    async def daily_users(self, first: date, last: date) -> Mapping[Day, int]:
        """Count users per day, both bounds included; days without any may be missing."""

    @abstractmethod
    async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
        """List the `limit` most frequent types between two dates, both included; equal counts by name."""

    @abstractmethod
    async def cells(
        self, granularity: Granularity, first: int, last: int, later: int, type_: str = ""
    ) -> Mapping[Cell, int]:
        """Read the retention cells of the cohorts `first` to `last`, 0 to `later` periods on; empty ones may miss.

        With a type, of those who were first active with it, and later again with it. It must be one whose retention is
        kept.
        """


@dataclass(frozen=True, slots=True)
class Difference:
    """Where rollups and raw activities disagree first."""

    rollup: str
    """Which figure: `users on 2026-01-05`, ..."""
    kept: str
    """What the rollup says."""
    folded: str
    """What follows from the activities."""


Progress = Callable[[int], None]
"""Is told how many activities have been read so far."""


class FrozenDaysError(Exception):
    """The days before `day` cannot be made anew, for their activities have left: nothing is done unless it is named."""

    def __init__(self, day: date) -> None:
        """Keep the day for whoever asks."""
        super().__init__(
            f"what is counted of days before {day} cannot be made anew, for their activities have left: "
            f"confirm with {day}"
        )
        self.day = day


class StatsKeeper(Protocol):
    """The care of the rollups. Activities themselves are never touched.

    All methods raise HistoryUnavailableError; then nothing has changed.
    """

    @abstractmethod
    async def reset(self, giving_up: date | None = None) -> None:
        """Empty all rollups in one transaction.

        Raises:
            FrozenDaysError: what is counted of frozen days would be gone for good, and `giving_up` does not name the
                first day behind them. Nothing was emptied.
        """

    @abstractmethod
    async def rebuild(self, progress: Progress | None = None, leaving: date | None = None) -> int:
        """Replace all rollups by what follows from the raw activities, in one transaction; return their number.

        Also the way to another `stats.timezone`. Memory grows with the number of days and types, not of activities.
        What is counted of frozen days stays as it is.

        Raises:
            FrozenDaysError: the frozen days are those of another time zone and would stay so, and `leaving` does not
                name the first day behind them.
        """

    @abstractmethod
    async def verify(self, progress: Progress | None = None) -> Difference | None:
        """Fold the raw activities as they are at one instant and compare; None when there is no difference.

        What is counted of frozen days is taken as it is.
        """

    @abstractmethod
    async def frozen_before(self) -> date | None:
        """Say from which day on all raw activities are there; what was counted of those before is frozen.

        None: all activities are there.
        """

    @abstractmethod
    async def trouble(self) -> str | None:
        """Say what is to be known of the days that were counted, and what to do; None when all is well.

        That is: they are those of another zone, or by older rules of it than this process has and by these some would
        be other ones, or by newer ones, or by nobody knows which.
        """
