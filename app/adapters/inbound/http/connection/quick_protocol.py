"""The protocol of the API: a usual request is answered as soon as it is read, in front of ASGI (ADR 0084).

It must have come whole and alone, on a connection that has nothing in hand. All else goes the ordinary way, which is
uvicorn's: llhttp, a scope, a task. This knows uvicorn's inside; `tests/unit/http/test_uvicorns_inside.py` says what.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.quick_answers import Answer, Elsewhere, QuickAnswers
from app.adapters.inbound.http.connection.timeout_protocol import TimeoutProtocol, timeout_protocol
from app.adapters.inbound.http.connection.usual_heads import (
    MOST_REMEMBERED,
    NO_HEAD,
    UsualHead,
    known_again,
    read_usual_head,
)
from app.adapters.inbound.http.connection.validating_protocol import NOTABLE, rendered

QUERY = rb"(?:\?([0-9A-Za-z=&:%+._~-]*+))?"
"""What dates and times are spelled with, encoded or not."""


class DefaultLines:
    """What every answer says, rendered when it has changed: uvicorn makes a new list each second, for the date."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.lines = b""

    def render(self, fields: list[tuple[bytes, bytes]]) -> bytes:
        """Render others."""
        self.fields, self.lines = fields, rendered(fields)
        return self.lines


class QuickProtocol(TimeoutProtocol):
    """One connection. `quick_protocol` makes the class for given answers."""

    answers: ClassVar[QuickAnswers]
    request_line: ClassVar[re.Pattern[bytes]]
    default_lines: ClassVar[DefaultLines]
    starts: ClassVar[bytes]
    """How each request begins that may be answered here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answered = 0
        """Requests that were answered here."""
        self._answered_at_look = 0
        self._has_just_answered = False
        """Whether the last packet was: then nothing has been read since that could be in hand or half read."""
        self._remembered = NO_HEAD

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection."""
        super().connection_made(transport)
        self._write_whole = self.transport.write_whole  # type: ignore[attr-defined]  # a JoiningTransport's

    def data_received(self, data: bytes) -> None:
        """Answer at once, or read on. Written for speed: this is a tenth of a search."""
        if (
            not data.startswith(self.starts)
            or self.flow.write_paused
            or not (self._has_just_answered or self._is_between_requests())
        ):
            self._has_just_answered = False
            super().data_received(data)
            return
        answer = self._answer(data)
        if isinstance(answer, Elsewhere):
            self._read_elsewhere(data, answer)
            return
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        status, parts = answer
        state, default = self.server_state, self.default_lines
        fields = state.default_headers
        lines = default.lines if fields is default.fields else default.render(fields)
        self._write_whole([STATUS_LINE[status], lines, *parts])
        self._has_just_answered = True
        self._answered += 1
        state.total_requests += 1

    def _answer(self, data: bytes) -> Answer | Elsewhere:
        line = self.request_line.match(data)
        if line is None or len(data) > self._most:
            return Elsewhere.ORDINARY
        at = line.end()
        head = known_again(data, at, self._remembered) or self._read_head(data[at:])
        return Elsewhere.ORDINARY if head is None else self.answers.answer(line[1] or b"", head)

    def _read_head(self, fields: bytes) -> UsualHead | None:
        read = read_usual_head(fields, self._most_headers, hears_of_proxies=self.notable is not NOTABLE)
        if read is None:
            return None
        if len(fields) <= MOST_REMEMBERED:
            self._remembered = read
        return read.head

    def _read_elsewhere(self, data: bytes, why: Elsewhere) -> None:
        self._has_just_answered = False
        super().data_received(data)
        if why is Elsewhere.TRACED:
            self.cycle.scope["traced"] = True  # type: ignore[typeddict-unknown-key]  # for TracingApp

    @property
    def has_asked_nothing(self) -> bool:
        """See WatchedConnection."""
        return not self._answered and self.cycle is None

    def check_timeout(self, seconds: float) -> None:
        """See WatchedConnection. What was answered here since the last look is found now, to cost a request nothing."""
        if self._answered != self._answered_at_look:
            self._answered_at_look = self._answered
            self._remembered = NO_HEAD
            self._timeout.restart()
            if self.timeout_keep_alive_task is None and self._is_between_requests():
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )
        super().check_timeout(seconds)


def quick_protocol(
    answers: QuickAnswers,
    limits: ConnectionLimits,
    on_cut: Callable[[str], None] | None = None,
    on_forwarded: Callable[[str], None] | None = None,
) -> type[QuickProtocol]:
    """Make the protocol as `timeout_protocol` does, with `answers` in front of the application."""
    starts = b"GET " + answers.path
    namespace = {
        "answers": answers,
        "default_lines": DefaultLines(),
        "request_line": re.compile(re.escape(starts) + QUERY + rb" HTTP/1\.1(?=\r\n)"),
        "starts": starts,
    }
    return type("AnsweringProtocol", (QuickProtocol, timeout_protocol(limits, on_cut, on_forwarded)), namespace)
