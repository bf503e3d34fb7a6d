"""What a fetch of either scheme brings, and the bounds that it keeps."""

from dataclasses import dataclass, field
from typing import IO

from app.application.ports.providers import FeedMark

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How long a fetch may take (seconds) and how much it may bring (bytes)."""

    connect_timeout: float = 5
    """For finding the host's addresses, and for connecting to each of them."""
    idle_timeout: float = 15
    """For the silence between two pieces of an answer."""
    total_timeout: float = 300
    """For all of it: what a provider that trickles meets in the end."""
    max_wire_bytes: int = 200 * MIB
    """As sent; for a file, its size."""
    max_decoded_bytes: int = 1024 * MIB
    """After decompression."""
    max_ratio: float = 250
    """Of decoded bytes to packed ones; a feed of plans has 10 to 20, a season of the same evenings up to 120, a bomb
    1,000 (doc/adr/0071)."""
    ratio_counts_from: int = 64 * MIB
    """Decoded bytes. A shorter document may be packed as well as it likes: it costs seconds and no memory to read."""
    unpacking: float = 5
    """CPU seconds for the decompression, beside what its output may take (`Work`)."""


@dataclass(slots=True)
class Used:
    """What the documents of one fetch have used of its limits so far."""

    seconds: float = 0.0
    wire_bytes: int = 0
    decoded_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FetchedFeed:
    """A document that came whole. Whoever takes it closes the file."""

    file: IO[bytes]
    """At its start; decompressed."""
    mark: FeedMark
    received: int
    """Bytes over the wire."""
    source: str = ""
    """Where it came from, as it may be shown."""
    url: str = field(default="", repr=False)
    """Where it came from in the end, absolute: what is relative in it is relative to this. Its query may hold secrets;
    user and password are left out, and sent along when it is fetched again."""
    content_type: str | None = None
    """The media type that the server said, in lower case and without parameters."""
    charset: str | None = None
    """The character set that the server said, when it is one: for documents that say none themselves."""
    link: str | None = field(default=None, repr=False)
    """The Link header (RFC 8288), several of them joined by commas; `links.target_of` reads it."""
