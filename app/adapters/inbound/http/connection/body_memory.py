"""How much of all bodies together one process holds; how large one may be, `request_body.py` is told."""

from app.adapters.inbound.http.connection.connection_errors import TooManyBodiesError

MOST_IN_HAND = 256 * 1024 * 1024
"""Bytes of a process."""
FREE = 16 * 1024
"""Bytes of each body that are not counted: what is small gets through while others hold all that may be held."""


class BodyMemory:
    """The bodies that are being read, or worked on."""

    __slots__ = ("held", "most")

    def __init__(self, most: int = MOST_IN_HAND) -> None:
        self.most = most
        self.held = 0

    def hold(self) -> "Hold":
        """Begin with one; it is to be let go of, come what may."""
        return Hold(self)


class Hold:
    """What is held of one body, packed and unpacked."""

    __slots__ = ("_bodies", "_size")

    def __init__(self, bodies: BodyMemory) -> None:
        self._bodies = bodies
        self._size = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            TooManyBodiesError: there is no room for them.
        """
        bodies = self._bodies
        if bodies.held + size > bodies.most:
            raise TooManyBodiesError(bodies.most, FREE)
        bodies.held += size
        self._size += size

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._bodies.held -= self._size
        self._size = 0
