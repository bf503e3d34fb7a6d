"""How long to wait after failures. Pure: chance comes in as an argument."""

from dataclasses import dataclass

JITTER = 0.1
"""The share of a wait that chance adds or takes, so that many do not move in step."""

_MOST_DOUBLINGS = 32
"""More than any wait needs to reach its longest."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits, in seconds, that double from `first` to `longest`."""

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Say how long to wait after so many failures in a row (from 1)."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))


def jittered(seconds: float, chance: float) -> float:
    """Make a wait up to JITTER shorter or longer; `chance` in [0, 1)."""
    return seconds * (1 - JITTER + 2 * JITTER * chance)
