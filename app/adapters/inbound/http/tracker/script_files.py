"""The tracker's files: read and compressed once, as small as they get, and sent in the coding that a browser takes."""

import gzip
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from fastapi import Request, Response

from app.adapters.inbound.http.describing.accept_encoding import accepted_codings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SMALLEST: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"zstd": lambda data: zstd.compress(data, 19),
    b"gzip": lambda data: gzip.compress(data, 9, mtime=0),
}
"""Other levels than those of answers (ADR 0089): this is done once, and sent to every visitor of every shop."""
FRESH = 3600
"""Seconds for which a browser need not ask again; so long after an upgrade all pages have the new script."""


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A small file in memory, in every coding."""

    kind: str
    """Its media type."""
    tag: bytes
    """Its entity tag as it is; a coding has a tag of its own (RFC 9110, 8.8.3.3)."""
    bodies: Mapping[bytes, bytes]
    """By the name of the coding; empty: as it is."""

    @classmethod
    def of(cls, body: bytes, kind: str) -> "ScriptFile":
        """Compress it."""
        coded = {name: pack(body) for name, pack in SMALLEST.items()}
        return cls(kind, b'"%b"' % blake2b(body, digest_size=8).hexdigest().encode(), {b"": body, **coded})

    def answer(self, request: Request) -> Response:
        """Send it, unless the browser has it."""
        asked = dict(request.scope["headers"])
        accepted = accepted_codings(asked.get(b"accept-encoding"))
        headers = {
            "cache-control": f"public, max-age={FRESH}",
            "vary": "accept-encoding",
            "cross-origin-resource-policy": "cross-origin",
            "access-control-allow-origin": "*",
        }
        held = accepted.held(asked.get(b"if-none-match", b""), self.tag)
        if held is not None:
            return Response(None, 304, {**headers, "etag": held.decode()})
        coding = accepted.coding_of(len(self.bodies[b""]))
        if coding is None:
            return Response(self.bodies[b""], 200, {**headers, "etag": self.tag.decode()}, self.kind)
        coded = {"etag": coding.tag(self.tag).decode(), "content-encoding": coding.name.decode()}
        return Response(self.bodies[coding.name], 200, {**headers, **coded}, self.kind)
