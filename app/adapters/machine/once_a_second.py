"""A limit on what is logged of something that may come by the thousand."""

from collections.abc import Callable
from time import monotonic


class OnceASecond:
    """Keeps what may come by the thousand from being told one by one."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._told_at = float("-inf")
        self._left_out = 0

    def left_out(self) -> int | None:
        """Say how many were left out before this one; None when it is to be left out too."""
        now = self._now()
        if now - self._told_at < 1:
            self._left_out += 1
            return None
        left_out, self._left_out, self._told_at = self._left_out, 0, now
        return left_out
