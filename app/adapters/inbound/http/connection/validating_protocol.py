"""uvicorn's protocol, validating: what is too large, broken or of no use here is refused in the shape of every error.

What uvicorn and llhttp leave open: the size of a head and the number of its fields, the length of a pipeline, what a
chunked body has beside its data, trailers (they would become headers), a body behind the offer of an upgrade (it would
become the next request), a request without a Host or with two (RFC 9112, 3.2), a URL without a path, white space behind
a header's value (RFC 9110, 5.5), transfer codings besides chunked.
What could be read as two different requests is for llhttp to refuse.
"""

import re
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from app.adapters.inbound.http.connection.connection_limits import (
    ConnectionLimits,
    malformed,
    too_large,
    too_many,
    too_many_headers,
    unknown_coding,
)
from app.adapters.inbound.http.connection.edge_server import EMBEDDED_PATHS
from app.adapters.inbound.http.connection.joined_writes import JoinedWritesProtocol
from app.adapters.inbound.http.describing.answers import Reply

FRAMING = 8
"""Bytes around its data that each byte of a chunked body may bring; a chunk of one byte brings five."""
NOTHING: Any = {}
"""What is left of the scope of a request that was answered."""
NOTABLE = frozenset({b"host", b"transfer-encoding"})
"""Fields that are looked at here in each head."""
FORWARDED = frozenset({b"forwarded", b"via", b"x-real-ip"}) | {
    b"x-forwarded-" + what for what in b"by for host port prefix proto protocol scheme server ssl uri".split()
}
"""Fields that a proxy adds."""
RESOURCE_POLICY = b"cross-origin-resource-policy"
HOP = frozenset({b"connection", b"upgrade", b"http2-settings"})
BEFORE_EMPTY_PATH = re.compile(rb"\A\w++://[^/?#]++(?=[?#]|\Z)")
"""A URL with a host up to where its path would stand, if it has none; found in one pass over the longest of URLs."""


class RefusedError(Exception):
    """A request is refused before any application sees it."""

    def __init__(self, refusal: Reply) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class ValidatingProtocol(JoinedWritesProtocol):
    """One connection."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    notable: ClassVar[frozenset[bytes]] = NOTABLE
    """With FORWARDED until one of these came, if somebody wants to know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most = self.limits.max_header_bytes
        self._most_headers = self.limits.max_headers
        self._head_bytes = 0
        """Of a head that is not complete."""
        self._body_bytes = 0
        """Of all bodies."""
        self._framing_bytes = 0
        self._framing_of: object = None
        self._without_upgrade = b""
        """The head of a request that offered an upgrade, to be read again."""
        self._ahead: list[RequestResponseCycle] = []
        """Requests that were not answered when the next came; `cycle` is the newest one."""
        self._ignores_input = False

    @staticmethod
    def on_cut(code: str) -> None:
        """Hear of a client that was refused or cut."""

    @staticmethod
    def on_forwarded(name: str) -> None:
        """Hear, once, of a field that only a proxy adds."""

    # reading; what every request passes is written for speed

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        cycle = self.cycle
        if self._head_bytes or self._ignores_input or len(data) > self._most or (cycle is not None and cycle.more_body):
            self._read_on(data)
        else:
            self._read(data)

    def _read(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._read_again(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._stop_reading(cause.refusal if isinstance(cause, RefusedError) else malformed(error))
        else:
            cycle = self.cycle
            if cycle is None or cycle.scope is not self.scope:
                self._count_head(len(data))
            else:
                self._head_bytes = 0

    def _read_on(self, data: bytes) -> None:
        """Read what is not just a request: part of a head or of a body, or very much at once."""
        for at in range(0, len(data), self._most):
            if self._ignores_input or self.transport.is_closing():
                return
            part = data[at : at + self._most]
            self._count_framing(len(part))
            self._read(part)
        if self._framing_bytes > self._most and not self._ignores_input:
            self._stop_reading(too_large(0, self._most))

    def _is_between_requests(self) -> bool:
        """Tell whether nothing is in hand or half read: what comes next is the begin of a request, read afresh."""
        if self._ignores_input or self._head_is_partial():
            return False
        cycle = self.cycle
        return cycle is None or (cycle.response_complete and not cycle.more_body and cycle.keep_alive)

    def _head_is_partial(self) -> bool:
        cycle, scope = self.cycle, self.scope
        return scope is not None and (cycle is None or cycle.scope is not scope)

    def _count_head(self, more: int) -> None:
        """Count the bytes of a head; those of the value that is just coming are not known before more has come."""
        if not self._head_is_partial():
            return
        known = self._known_head_bytes()
        self._head_bytes = max(known, self._head_bytes + more) if self._head_bytes else max(known, 1)
        if self._head_bytes > self._most:
            self._stop_reading(too_large(len(self.url), self._most))

    def _known_head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _count_framing(self, more: int) -> None:
        """Count what comes of a body; `on_body` takes off what it pays for."""
        cycle = self.cycle
        if cycle is not self._framing_of:
            self._framing_of, self._framing_bytes = cycle, 0
        if cycle is not None and cycle.more_body:
            self._framing_bytes += more

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of a head or of trailers, as uvicorn does, but not without end."""
        headers = self.headers
        if len(headers) >= self._most_headers:
            raise RefusedError(too_many_headers(self._most_headers))
        name, value = name.lower(), value.strip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the request is refused or has to be read again."""
        if self._head_bytes and self._known_head_bytes() > self._most:
            raise RefusedError(too_large(len(self.url), self._most))
        if self.pipeline and len(self.pipeline) >= self.limits.max_pipelined:
            raise RefusedError(too_many(self.limits.max_pipelined))
        self._check_fields()
        if self.url[:1] != b"/":
            self.url = BEFORE_EMPTY_PATH.sub(rb"\g<0>/", self.url, 1)
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before and self.scope["path"] in EMBEDDED_PATHS:  # an upgrade is read again first
            self.cycle.default_headers = [field for field in self.cycle.default_headers if field[0] != RESOURCE_POLICY]
        self.headers = []  # trailers are no headers (RFC 9110, 6.5.1): uvicorn would add them to those
        if self.pipeline:
            self._ahead = [*(cycle for cycle in self._ahead if not cycle.response_complete), before]

    def _check_fields(self) -> None:
        hosts, codings, notable = 0, b"", self.notable
        for name, value in self.headers:
            if name in notable:
                if name == b"host":
                    hosts += 1
                elif name == b"transfer-encoding":
                    codings = b"%b, %b" % (codings, value) if codings else value
                else:
                    type(self).notable = notable = NOTABLE
                    self.on_forwarded(name.decode())
        if hosts != 1 and (hosts or self.parser.get_http_version() == "1.1"):
            raise RefusedError(malformed(f"expected one header Host, found {hosts or 'none'}"))
        if codings and codings.lower() != b"chunked":
            raise RefusedError(unknown_coding(codings))

    def on_body(self, body: bytes) -> None:
        """Hand it on; it pays for what was around it."""
        self._body_bytes += len(body)
        self._framing_bytes = max(0, self._framing_bytes - FRAMING * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note it, also when the answer was complete before."""
        if not self._without_upgrade:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def _should_upgrade(self) -> bool:
        """Read the request again without the offer: nothing here takes one (RFC 9110, 7.8)."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise RefusedError(malformed("CONNECT is for proxies"))
        closing = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        fields = [(name, value) for name, value in self.headers if name not in HOP]
        fields += [(b"connection", b"close")] if closing else []
        line = b"%b %b HTTP/%b\r\n" % (method, self.url, self.parser.get_http_version().encode())
        self._without_upgrade = line + rendered(fields) + b"\r\n"
        return True

    def _read_again(self, rest: bytes) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        head, self._without_upgrade = self._without_upgrade, b""
        self._head_bytes = 0
        self._read(head + rest)

    def _let_go(self) -> None:
        """Keep nothing of requests that were answered; who still works on one has its scope."""
        if self._ahead:
            self._ahead = [cycle for cycle in self._ahead if not cycle.response_complete]
        cycle = self.cycle
        if cycle is None or not cycle.response_complete or cycle.scope is NOTHING:
            return
        if self.scope is cycle.scope:  # else the next head is coming in
            self.scope, self.url, self.headers = NOTHING, b"", []
        cycle.scope, cycle.body = NOTHING, bytearray()

    # refusing

    def _stop_reading(self, refusal: Reply) -> None:
        """Refuse what is being read; but the requests before it get their answers."""
        cycle = self.cycle
        in_body = cycle is not None and cycle.scope is self.scope
        if in_body and not cycle.response_complete:
            if not self.pipeline and not cycle.response_started:
                self._refuse(refusal)
            else:
                self._cut(refusal.code)
        elif in_body or not (cycle is None or cycle.response_complete):
            self._end_after_answers(refusal.code)
        else:
            self._refuse(refusal)

    def _end_after_answers(self, code: str) -> None:
        self.on_cut(code)
        self._ignores_input = True
        self.cycle.keep_alive = False
        if self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, refusal: Reply) -> None:
        """Say why, and close; what comes until then is thrown away, so that the client gets to read it."""
        self.on_cut(refusal.code)
        self._ignores_input = True
        if self.cycle is not None:
            disconnect(self.cycle)
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        head = STATUS_LINE[refusal.status] + rendered([*self.server_state.default_headers, *refusal.headers()])
        self.transport.write(head + b"\r\n" + refusal.body)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _cut(self, code: str) -> None:
        self.on_cut(code)
        self.transport.abort()


def disconnect(cycle: RequestResponseCycle) -> None:
    """Tell an application that nobody waits for its answer any more."""
    cycle.disconnected = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()


def rendered(fields: list[tuple[bytes, bytes]]) -> bytes:
    """Spell fields as a head has them, each with its CRLF."""
    return b"".join(b"%b: %b\r\n" % field for field in fields)
