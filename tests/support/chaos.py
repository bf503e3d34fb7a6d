"""Kills of a whole service at random, with kill -9."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping

from tests.support.service import Installation
from tests.support.waiting import lives, until

VICTIMS = ("api-1", "api-2", "worker-1", "worker-2", "redis", "supervisor")
PAUSE = (0.1, 1.2)
"""Seconds between two kills."""


class Chaos:
    """Kills at random, and starts the whole anew when its supervisor was the victim."""

    def __init__(
        self,
        installation: Installation,
        chance: random.Random,
        others: Mapping[str, Callable[[], object]] | None = None,
        meanwhile: Callable[[float], object] = time.sleep,
    ) -> None:
        self._installation = installation
        self._chance = chance
        self._others = others or {}
        """What else may fail, and how."""
        self._meanwhile = meanwhile
        """Is called for the seconds between two kills."""
        self.service = installation.run()
        self.killed: Counter[str] = Counter()

    def kill(self, times: int) -> None:
        """Kill processes that live, so many times."""
        until_then = time.monotonic() + times * 20
        while sum(self.killed.values()) < times:
            assert time.monotonic() < until_then, self.killed
            self._meanwhile(self._chance.uniform(*PAUSE))
            victim = self._chance.choice((*VICTIMS, *self._others))
            if victim in self._others:
                self._others[victim]()
            elif victim == "supervisor":
                self._restart()
            elif not self._kill_one(victim):
                continue
            self.killed[victim] += 1
        self.service.until_ready()

    def traces(self) -> list[str]:
        """What the processes said of errors that they did not foresee."""
        return [entry["exception"] for entry in self.service.log if "exception" in entry]

    def _kill_one(self, victim: str) -> bool:
        pid = self._installation.redis_pid() if victim == "redis" else self.service.child(victim)
        if pid is None or not lives(pid):
            return False
        os.kill(pid, signal.SIGKILL)
        return True

    def _restart(self) -> None:
        children = self.service.pids()
        self.service.kill()
        until(lambda: not any(lives(pid) for pid in children), 30)
        self.service = self._installation.run()
