"""How much of a connection a client may take up, and how it is told when that is too much."""

import resource
from dataclasses import dataclass

from app.adapters.inbound.http.describing.answers import Reply, error_reply

FILES_FOR_OTHERS = 256
"""File descriptors that connections of clients leave to Redis, the database, files and what listens."""
MOST_FILES = 16_384
"""More are not asked of the system: so many connections want several processes, and each takes memory."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Times are in seconds, sizes in bytes."""

    header_timeout: float = 10.0
    """For the request line and the headers, from the connection or the answer before; also to send anything at all."""
    body_timeout: float = 30.0
    """For the whole body, from the end of the headers. Time in which nobody here reads on does not count."""
    write_timeout: float = 30.0
    """For a client to take PROGRESS bytes more of an answer."""
    keep_alive_timeout: float = 75.0
    """For the next request on a connection: longer than proxies and pools of connections keep theirs, mostly 60 s. The
    other way round they would send into one that just closes."""
    linger: float = 2.0
    """For a client that was refused to take in why."""
    max_header_bytes: int = 32 * 1024
    """The request line and the headers together; likewise what a chunked body has beside its data."""
    max_headers: int = 100
    """Fields of a head, and of trailers: in memory each costs some hundred bytes more than it has."""
    max_pipelined: int = 64
    """Requests that wait for the answer before them; the connection ends after them."""
    max_connections: int = 10_000
    """Of one process. Beyond, one is evicted for the new one, see ConnectionSweep."""
    send_buffer: int = 128 * 1024
    """Of an answer, that the system holds for a client who has not taken it. Left to itself it holds megabytes of each.
    Linux doubles the number for what it needs beside; at 100 ms to the client this is about 1 MB/s."""

    @property
    def shortest(self) -> float:
        """The shortest of the times."""
        return min(self.header_timeout, self.body_timeout, self.write_timeout, self.linger)

    @property
    def slow(self) -> float:
        """How long a client makes no progress that is evicted, if one must be: about 3 KB/s keep it."""
        return min(self.body_timeout, self.write_timeout) / 6


def _refusal(status: int, code: str, message: str) -> Reply:
    """Refuse a request that no application gets to see; the connection ends with it."""
    return error_reply(status, code, message, ((b"connection", b"close"),))


def malformed(reason: object) -> Reply:
    """Refuse what is no HTTP request."""
    return _refusal(400, "malformed_request", f"this is no HTTP request that can be read: {reason}")


def unknown_coding(found: bytes) -> Reply:
    """Refuse a body in a transfer coding that nobody here undoes (RFC 9112, 6.1)."""
    if found.rpartition(b",")[2].strip(b" \t").lower() != b"chunked":
        return malformed("a body with Transfer-Encoding ends with the coding chunked")
    message = f"expected Transfer-Encoding: chunked and no other coding, found {found[:80].decode('latin-1')!r}"
    return _refusal(501, "unsupported_transfer_coding", message)


def too_many(most: int) -> Reply:
    """Refuse what is more than a connection may ask at once."""
    return _refusal(400, "too_many_pipelined", f"expected at most {most} requests that wait for answers, found more")


def too_late(what: str, seconds: float) -> Reply:
    """Refuse a request that does not come to its end."""
    return _refusal(408, "request_timeout", f"{what} did not arrive within {seconds:g} s")


def too_large(url: int, most: int) -> Reply:
    """Refuse a head without end; `url` is the length of its URL."""
    if url > most // 2:
        return _refusal(414, "url_too_long", f"expected a request line and headers of at most {most:,} bytes together")
    return _refusal(431, "headers_too_large", f"expected headers of at most {most:,} bytes together, found more")


def too_many_headers(most: int) -> Reply:
    """Refuse what has more header fields than anybody needs, or more trailers."""
    return _refusal(431, "headers_too_large", f"expected at most {most} headers, found more")


def room_for_connections() -> int:
    """Say how many connections this process can have open; it asks the system for as many files as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    files = MOST_FILES if soft == resource.RLIM_INFINITY else soft
    return max(files - FILES_FOR_OTHERS, files // 2)
