"""uvicorn's protocol with timeouts: every wait for a client has an end.

uvicorn itself waits for ever: for a head, for a body, and for somebody to take an answer.
"""

import asyncio
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

from app.adapters.inbound.http.connection.client_address import client_of
from app.adapters.inbound.http.connection.client_timeout import ClientTimeout, Stage
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits, too_late
from app.adapters.inbound.http.connection.connection_sweep import ConnectionSweep, WatchedConnection
from app.adapters.inbound.http.connection.validating_protocol import FORWARDED, NOTHING, ValidatingProtocol, disconnect

CUT_FOR = {Stage.HEAD: "silent", Stage.BODY: "request_timeout", Stage.WRITE: "slow_reader"}


class TimeoutProtocol(ValidatingProtocol, WatchedConnection):
    """One connection. `timeout_protocol` makes the class for given limits."""

    sweeps: ClassVar[WeakKeyDictionary[ServerState, ConnectionSweep]] = WeakKeyDictionary()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timeout = ClientTimeout(self.limits)
        self.timeout_keep_alive = self.limits.keep_alive_timeout  # type: ignore[assignment]  # it is only slept for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection."""
        super().connection_made(transport)
        bound_what_system_holds(transport, self.limits.send_buffer)
        self.address = _address_of(self.client)
        sweep = self.sweeps.get(self.server_state)
        if sweep is None:
            limits = self.limits
            sweep = ConnectionSweep(self.loop, limits.shortest, limits.max_connections, limits.slow)
            self.sweeps[self.server_state] = sweep
        sweep.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application; uvicorn tells that of the newest request only."""
        self.sweeps[self.server_state].leave(self)
        for cycle in self._ahead:
            disconnect(cycle)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Go on: the client has taken most of what was written."""
        self._timeout.restart()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close what was idle for too long; if not all was taken that is written, that is looked after still."""
        self.timeout_keep_alive_task = None
        super().timeout_keep_alive_handler()

    @property
    def has_asked_nothing(self) -> bool:
        """See WatchedConnection."""
        return self.cycle is None

    @property
    def is_idle(self) -> bool:
        """See WatchedConnection."""
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        return not self.transport.get_write_buffer_size() or self.stalled_seconds >= self.limits.slow

    @property
    def stalled_seconds(self) -> float:
        """See WatchedConnection."""
        return self._timeout.stalled_seconds

    @property
    def is_waited_for(self) -> bool:
        """See WatchedConnection."""
        return self.transport.get_write_buffer_size() > 0 or self._awaited() is Stage.BODY

    def evict(self) -> None:
        """See WatchedConnection."""
        if not self.has_asked_nothing and self.is_idle and not self.transport.get_write_buffer_size():
            self.on_cut("too_many_connections")
            self.transport.close()  # its last answer may be held until this turn ends
        else:
            self._cut("too_many_connections")

    def check_timeout(self, seconds: float) -> None:
        """See WatchedConnection."""
        untaken = self.transport.get_write_buffer_size()
        if self.timeout_keep_alive_task is not None and not untaken:
            if (self.cycle is not None and self.cycle.scope is not NOTHING) or self._timeout.stalled_seconds:
                self._let_go()
                self._timeout.note_idle()
            return  # it is idle; uvicorn closes it
        self._let_go()
        if untaken:
            untaken += held_by_system(self.transport)
        stage = Stage.WRITE if untaken else self._awaited()
        request = self.scope if self._head_is_partial() else self.cycle  # answered ones have no scope of their own
        if self._timeout.is_over(stage, request, untaken, seconds, self._body_bytes):
            self._end(stage)

    def _awaited(self) -> Stage | None:
        """Tell what the client is waited for; None when it is not the client."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.disconnected:
            reading = not self.pipeline and not self.flow.read_paused and not cycle.waiting_for_100_continue
            return Stage.BODY if reading and cycle.more_body else None
        if self._ignores_input:
            return Stage.LINGER
        return Stage.HEAD

    def _end(self, stage: Stage | None) -> None:
        if stage is Stage.HEAD and self._head_is_partial():
            self._refuse(too_late("the headers", self.limits.header_timeout))
        elif stage is Stage.BODY and not self.cycle.response_started:
            self._refuse(too_late("the body", self.limits.body_timeout))
        elif stage is Stage.LINGER:
            self.transport.abort()
        elif stage is not None:
            self._cut(CUT_FOR[stage])


def timeout_protocol(
    limits: ConnectionLimits,
    on_cut: Callable[[str], None] | None = None,
    on_forwarded: Callable[[str], None] | None = None,
) -> type[TimeoutProtocol]:
    """Make the protocol: `uvicorn.Config(http=timeout_protocol(limits))`.

    `on_cut` is told why a client was refused or cut off: one of CUT_REASONS.
    `on_forwarded` is told once, by its name, of a header that only a proxy adds.
    """
    namespace: dict[str, Any] = {"limits": limits} | ({"on_cut": staticmethod(on_cut)} if on_cut else {})
    if on_forwarded:
        namespace |= {"notable": ValidatingProtocol.notable | FORWARDED, "on_forwarded": staticmethod(on_forwarded)}
    return type("LimitedProtocol", (TimeoutProtocol,), namespace)


def _address_of(client: tuple[str, int] | None) -> str:
    """Say whose share of the connections counts: an IPv4 address as it is, at no cost, else what limits count."""
    if client is not None and ":" not in client[0]:
        return client[0]
    return client_of({"client": client}, ())


def bound_what_system_holds(transport: asyncio.Transport, size: int) -> None:
    """Let the system hold so many bytes of answers; beyond, the application waits for the client."""
    with suppress(OSError, AttributeError):  # it has gone, or is no socket
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, size)


def held_by_system(transport: asyncio.Transport) -> int:
    """Say how much was written that the client's system has not taken; 0 where that cannot be told.

    The system makes room for more only once a third of what it holds has gone: a client that takes 1 KB/s seems to
    stand still for a minute.
    """
    try:
        answer = ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError, AttributeError):
        return 0
    return int(struct.unpack("i", answer)[0])
