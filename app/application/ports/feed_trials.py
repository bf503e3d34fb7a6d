"""The ports of a trial: looking at a feed that no provider is configured for, and reading it by a mapping."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.application.ports.providers import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedUnderTrial:
    """A feed that somebody wants to know more of."""

    url: str = field(repr=False)
    """Where it is: http, https or file, absolute; it may hold secrets."""
    timezone: str | None = None
    """An IANA name: what its times are local to; None: nobody has said."""
    options: Mapping[str, Any] | None = None
    """What stands under `options` of the kind `mapped`; None: they are to be proposed."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """To ask it with, as the configuration says them: `${NAME}` stands for a variable of the environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedElements:
    """Elements or objects that occur several times at one place of a document."""

    path: str
    """Names from the root, parted by slashes."""
    count: int
    examples: Sequence[str]
    """What stands in the first ones: `name: value`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFindings:
    """What was found out about a feed."""

    source: str
    """Where it is, as it may be shown."""
    fetched_bytes: int
    """As they came."""
    document_bytes: int
    """Unpacked."""
    looked_at_bytes: int
    """Of them, from the beginning: what was found holds for these."""
    format: str | None
    """`xml`, `json`, `ndjson`, `csv` or `icalendar`; None: nothing that can be mapped."""
    encoding: str
    said: str
    """What it is, in words."""
    repeated: Sequence[RepeatedElements]
    """The most frequent first."""
    kind: str | None
    """Which kind of provider reads it; None: nothing was proposed."""
    timezone: str
    """Of times without an offset: as it was asked for, as the feed says it, or UTC."""
    options: Mapping[str, Any]
    """The options of that kind that are proposed, or that were given."""
    entry: Sequence[str]
    """The provider as an entry of config.yaml: lines of YAML with comments."""
    trouble: str | None = None
    """Why nothing was proposed."""


class FeedInspector(Protocol):
    """Looks at feeds."""

    @abstractmethod
    async def inspect(self, feed: FeedUnderTrial) -> FeedFindings:
        """Fetch a feed and look at its beginning, in bounded memory; options that are given are not questioned.

        Raises:
            FeedError: it cannot be had.
        """

    @abstractmethod
    def provider(self, feed: FeedUnderTrial, findings: FeedFindings) -> Provider:
        """Make a provider of what was found. What the configuration would refuse is refused in the same words."""
