"""How fast activities come: looks at a counter that only grows, folded into a curve over the last hour. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

STEP = 10
"""Seconds of one step of the curve."""
STEPS = 360
"""An hour."""
RATE_WINDOW = timedelta(seconds=10)
"""What "a second" is the mean of."""
STALE_AFTER = timedelta(seconds=5)
"""Without a look for so long, nobody knows how fast they come."""


class LastHour(NamedTuple):
    """The hour before `ends_at`, in STEPS steps of STEP seconds."""

    since: datetime | None
    """The first look that counts; None without any. What came before it is not known."""
    ends_at: datetime
    """When the last whole step ended."""
    counts: Sequence[int | None]
    """How many came in each step, oldest first; None where nobody looked."""
    total: int
    """How many came, those of the step that has just begun included."""


class CounterLook(NamedTuple):
    """What a counter said, and when."""

    at: datetime
    total: int

    @property
    def step(self) -> int:
        """The step in which it was, counted since 1970."""
        return _step(self.at)


class _Look(NamedTuple):
    at: datetime
    total: int
    grown: int


@dataclass(slots=True)
class ActivityCurve:
    """Looks at a counter. A counter that fell (its store was replaced) begins anew and adds nothing by that."""

    first: CounterLook | None = None
    """The first look of its own."""
    _looks: deque[_Look] = field(default_factory=deque)
    """Those of the last RATE_WINDOW, and the newest."""
    _steps: dict[int, int] = field(default_factory=dict)
    """By the number of the step."""
    _since: datetime | None = None

    def note(self, at: datetime, total: int) -> None:
        """Take in a look; the same again says nothing, one of an earlier time (the clock was set) starts anew."""
        last = self._looks[-1] if self._looks else None
        if last is not None and at < last.at:
            self._looks.clear()
            self._steps.clear()
            self.first = self._since = last = None
        if last is not None and at == last.at:
            return
        grown = max(0, total - last.total) if last else 0
        self.first = self.first or CounterLook(at, total)
        self._since = self._since or at
        self._looks.append(_Look(at, total, grown))
        self._steps[_step(at)] = self._steps.get(_step(at), 0) + grown
        self._forget(at)

    def recall(self, looks: Iterable[CounterLook]) -> None:
        """Take in what others saw within the hour before its own first look, the first look of each step.

        What came between two of them counts for the step of the earlier one, at the latest.
        """
        if self.first is None:
            return
        began = self.first.step - STEPS
        known = sorted(look for look in looks if look.step >= began and look.at < self.first.at)
        for earlier, later in pairwise([*known, self.first]):
            self._steps[earlier.step] = self._steps.get(earlier.step, 0) + max(0, later.total - earlier.total)
        self._since = min([look.at for look in known], default=self._since)

    def rate(self, now: datetime) -> float | None:
        """Say how many come a second; None when that is not known."""
        if len(self._looks) < 2 or now - self._looks[-1].at > STALE_AFTER:  # noqa: PLR2004 - a difference needs two
            return None
        first, *others = self._looks
        return sum(look.grown for look in others) / (others[-1].at - first.at).total_seconds()

    def last_hour(self, now: datetime) -> LastHour:
        """Lay out the hour before `now`."""
        current = _step(now)
        numbers = range(current - STEPS, current)
        began = _start(current - STEPS)
        return LastHour(
            since=max(self._since, began) if self._since else None,
            ends_at=_start(current),
            counts=[self._steps.get(number) for number in numbers],
            total=sum(count for number, count in self._steps.items() if number >= numbers.start),
        )

    def _forget(self, at: datetime) -> None:
        while self._looks[0].at < at - RATE_WINDOW and len(self._looks) > 2:  # noqa: PLR2004 - a difference needs two
            self._looks.popleft()
        for number in [number for number in self._steps if number < _step(at) - STEPS]:
            del self._steps[number]


def _step(at: datetime) -> int:
    return int(at.timestamp()) // STEP


def _start(step: int) -> datetime:
    return datetime.fromtimestamp(step * STEP, UTC)
