"""ActivityTypes in Redis: a set for all processes, and in each the part of it that it has met lately."""

from collections.abc import Callable, Collection, Iterator, Sequence
from time import monotonic

from app.adapters.outbound.redis.activity_queue import ACTIVITIES
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.activities import ActivityTypes

TYPES = f"{ACTIVITIES}:types"
"""A set: all types that the door took, and those that a worker found in the history."""

REMEMBERED = 60.0
"""Seconds after which a process asks for each type again: Redis may have been set back, and does not say so."""
_AT_ONCE = 1000

_ADMIT = load_script("admit_types")


class RedisActivityTypes(ActivityTypes):
    """Asks Redis only about types that it has not met within REMEMBERED seconds: a door that knows its types, never.

    `now` counts seconds; it is for tests.
    """

    def __init__(self, client: RedisClient, most: int, now: Callable[[], float] = monotonic) -> None:
        self.most = most
        self._client = client
        self._now = now
        self._known: set[str] = set()
        self._known_until = 0.0

    async def refused(self, types: Collection[str]) -> Collection[str]:
        """Compare with what is known here; admit the others in one script."""
        if self._now() >= self._known_until:
            self._known, self._known_until = set(), self._now() + REMEMBERED
        new = [type_ for type_ in types if type_ not in self._known]
        if not new:
            return ()
        refused: set[str] = set()
        for some in _portions(new):
            answer: Sequence[bytes] = await self._client.run(_ADMIT, [TYPES], [self.most, *some])
            refused |= {type_.decode() for type_ in answer}
        self._known.update(type_ for type_ in new if type_ not in refused)
        return refused

    async def note(self, types: Collection[str]) -> None:
        """Add to the set."""
        for some in _portions(list(types)):
            await self._client.command("SADD", TYPES, *some)

    async def size(self) -> int:
        """Ask for the size of the set."""
        return int(await self._client.command("SCARD", TYPES))


def _portions(types: Sequence[str]) -> Iterator[Sequence[str]]:
    """Part them: Lua hands a function less than 8,000 arguments."""
    return (types[at : at + _AT_ONCE] for at in range(0, len(types), _AT_ONCE))
