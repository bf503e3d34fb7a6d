"""The port to what providers sell. An adapter of it is a *kind* of provider (doc/providers)."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from app.domain.feeds import FeedRecord
from app.domain.gate import GatePolicy
from app.domain.settling import SettlePolicy


class FeedError(Exception):
    """A feed could not be had or read. The message names the source, what was found and what was expected."""


class FeedUnavailableError(FeedError):
    """The provider did not answer, or not well; it may pass, so it is worth another try.

    `retry_after` is the number of seconds that the provider asked to wait, None when it did not.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Keep the wish of the provider beside the message."""
        super().__init__(message)
        self.retry_after = retry_after


class FeedRefusedError(FeedError):
    """We will not read this feed as it is (forbidden address, too large, a bomb, a DOCTYPE, 404): do not try again."""


class FeedBrokenError(FeedError):
    """The document ends or breaks in the middle; the records that were handed out before are good.

    `line` is where, from 1.
    """

    def __init__(self, message: str, *, line: int) -> None:
        """Keep the line beside the message."""
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class FeedMark:
    """How a provider recognises a snapshot that we have already: opaque to the core, saved only after a commit."""

    etag: str | None = None
    last_modified: str | None = None
    content: str | None = None
    """A digest of the body."""
    position: str | None = None
    """Where in a list of snapshots this one stands, for sources that have such a list."""

    def unsettled(self) -> "FeedMark | None":
        """Give the mark of a snapshot that must be read again: only the position before it is remembered."""
        return FeedMark(position=self.position) if self.position else None

    def without_validators(self) -> "FeedMark":
        """Give the mark by which the source must send its document again: only what it holds may make it the same."""
        return replace(self, etag=None, last_modified=None)


class FeedWatcher(Protocol):
    """Somebody who looks on while a feed is fetched and read, such as a progress bar."""

    @abstractmethod
    def fetched(self, received: int, total: int | None) -> None:
        """Take note of the bytes received so far and, when the provider told, of how many there will be."""

    @abstractmethod
    def read(self, records: int) -> None:
        """Take note of the records read so far."""


class FeedSnapshot(Protocol):
    """What one fetch brought. Whoever fetched it closes it, once."""

    @property
    @abstractmethod
    def mark(self) -> FeedMark:
        """By what to recognise this snapshot the next time.

        Of an incremental source its position is that of the last page whose records were handed out, whenever it is
        asked; everything else of it counts once the records have come to their end.
        """

    @property
    @abstractmethod
    def fetched_bytes(self) -> int:
        """The bytes that came over the wire."""

    @property
    @abstractmethod
    def more(self) -> bool:
        """Whether the source has a further snapshot ready, after this one."""

    @property
    @abstractmethod
    def ignored(self) -> Mapping[str, int]:
        """Unknown elements and attributes seen so far (`zone@colour`, `banner`), and how often each."""

    @property
    def incremental(self) -> bool:
        """Whether a plan's absence means nothing, so that only tombstones withdraw."""
        return False

    @property
    def passed_over(self) -> int:
        """How many records the configuration has asked not to read, so far."""
        return 0

    @property
    def told_from(self) -> datetime | None:
        """The instant (aware, UTC) from which on the snapshot tells: what had ended before it is over, not withdrawn.

        Known once the records have come to their end. None: it tells all that there is.
        """
        return None

    @property
    def unknown_records(self) -> int:
        """How many elements that nobody knows stood where records are expected, so far."""
        return 0

    @abstractmethod
    def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        """Hand out the records in the feed's order, in batches, once; memory does not grow with the feed.

        A key occurs in at most one PlanRecord or RememberedRecord: the first record of a key is taken, a later one that
        says the same is passed over, one that says something else is a Rejection. (Of an incremental source the later
        one counts: there it is the newer state.) A Rejection with a `part` follows the PlanRecord that it is a part of.

        Raises:
            FeedRefusedError: before the first batch or after any of them; nothing that was handed out may be applied.
            FeedBrokenError: after the batches that were read well.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Give back what the snapshot holds (files, connections). Safe to call twice."""


@dataclass(frozen=True, slots=True)
class FeedUnchanged:
    """The source says what it said; from now on this mark tells so, with the newest validators."""

    mark: FeedMark


class Provider(Protocol):
    """One provider's feed. Holds no state between fetches but what makes them cheaper."""

    @abstractmethod
    async def fetch(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FeedSnapshot | FeedUnchanged | None:
        """Get the current snapshot; none when it is the one that `since` marks.

        That is told by None, or by a FeedUnchanged where there is a newer mark for the same.

        Raises:
            FeedUnavailableError: it may pass.
            FeedRefusedError: it will not pass by itself.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """How a source is asked over HTTP, as the configuration says; what may be secret is in no repr."""

    method: Literal["GET", "POST"] = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For the origin of the provider's URL and no other one."""
    user_agent: str = "marquee"
    body: str | None = field(default=None, repr=False)
    """Of a POST, for that origin, too."""
    content_type: str = "application/json"
    """What the body is."""
    ca_file: Path | None = None
    """The authorities to trust, in place of the public ones."""
    certificate: Path | None = None
    """The client's own, for that origin, too; PEM, with those that lead to its authority."""
    key: Path | None = None
    """Of the certificate; None when it is in the same file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """What a kind is given to make a Provider of: `kind: package.module:Class` calls `Class(spec)`."""

    name: str
    url: str
    timezone: str
    """An IANA name, checked: what the feed's times are local to."""
    options: Mapping[str, object]
    """Whatever else the configuration says under `options`, for the kind to judge."""
    request: FeedRequest = FeedRequest()
    """How to ask, for a kind that fetches over HTTP."""


class CircuitOpenError(FeedUnavailableError):
    """The provider failed too often in a row; it is left alone for `retry_after` seconds.

    `tried` tells whether it was asked before the circuit opened, or not at all.
    """

    def __init__(self, message: str, *, retry_after: float, tried: bool = False) -> None:
        """Keep whether the provider was asked beside the message."""
        super().__init__(message, retry_after=retry_after)
        self.tried = tried


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredProvider:
    """A provider as the configuration has it."""

    name: str
    kind: str
    url: str
    """Where the feed is, without credentials: for people."""
    timezone: str
    interval: float
    """Seconds between two syncs."""
    enabled: bool
    gate: GatePolicy
    max_plans: int
    """How many records of one snapshot are read."""
    source: Provider
    full_every: float = 86_400.0
    """Seconds after which the whole feed is fetched again, whatever its server says of changes; 0: never."""
    settle: SettlePolicy | None = None
    """How long a plan must be absent until it is withdrawn; None: not at all."""
    trouble: str | None = None
    """Why it cannot be used, whatever its feed says; None when it can."""


class ProviderDirectory(Protocol):
    """The providers that the configuration names."""

    @abstractmethod
    def all(self) -> Sequence[ConfiguredProvider]:
        """List every provider, disabled ones too, in the order of the configuration."""

    @abstractmethod
    def get(self, name: str) -> ConfiguredProvider:
        """Find one by its name.

        Raises:
            UnknownProviderError: the message names the ones that exist.
        """
