"""What a fetch of either scheme brings, and the bounds that it keeps."""

from dataclasses import dataclass
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
    max_ratio: float = 100
    """Of decoded bytes to sent ones; a compressed feed of plans has 10 to 20, a bomb 1,000."""
    unpacking: float = 5
    """CPU seconds for the decompression, beside what its output may take (`Work`)."""


@dataclass(frozen=True, slots=True)
class FetchedFeed:
    """A document that came whole. Whoever takes it closes the file."""

    file: IO[bytes]
    """At its start; decompressed."""
    mark: FeedMark
    received: int
    """Bytes over the wire."""
