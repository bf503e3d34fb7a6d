"""How much work the unpacking of a body may be. Its size says nothing of that, so the time is counted (ADR 0056)."""

from collections.abc import Callable
from time import thread_time

STEP = 4 * 1024
"""Bytes of packed input that are worked on at once: some milliseconds at the very worst, some microseconds mostly."""
TURN = 0.001
"""Seconds of work after which others have their turn."""
SLOWEST = 25_000_000
"""Bytes a second that come out of what anybody sends in earnest, on the slowest machine; isal does 20 times that."""


class TooMuchWorkError(ValueError):
    """To unpack a body takes longer than what came out of it is worth."""

    def __init__(self, seconds: float, size: int) -> None:
        """Say what it cost."""
        super().__init__(f"to unpack it took {seconds:.2f} s of work, for {size:,} bytes so far: pack it more plainly")


class Work:
    """What the unpacking of one body has cost: at most `seconds` of CPU, and what its output at SLOWEST may take.

    `clock` tells the CPU seconds of this thread.
    """

    __slots__ = ("_clock", "_seconds", "_since", "_turn", "size", "spent", "steps")

    def __init__(self, seconds: float, clock: Callable[[], float] = thread_time) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since = 0.0
        self._turn = 0.0
        self.spent = 0.0
        self.size = 0
        """Bytes that came out."""
        self.steps = 0

    def begin(self) -> None:
        """Begin with a step."""
        self._since = self._clock()

    def end(self, size: int) -> None:
        """End a step that brought so many bytes.

        Raises:
            TooMuchWorkError: all together has taken too long.
        """
        took = self._clock() - self._since
        self.spent += took
        self._turn += took
        self.size += size
        self.steps += 1
        if self.spent > self._seconds + self.size / SLOWEST:
            raise TooMuchWorkError(self.spent, self.size)

    def turn_is_over(self) -> bool:
        """Tell whether others are to have their turn now; a new one begins then."""
        if self._turn < TURN:
            return False
        self._turn = 0.0
        return True
