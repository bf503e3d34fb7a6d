"""A mapping: where in a record of some feed the fields of a plan are. Made by `compile_mapping`, used by one thread."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from datetime import timedelta

from app.adapters.outbound.providers.mapped.number_patterns import NumberPattern
from app.adapters.outbound.providers.mapped.paths import Path, Paths

ANYTHING = "*"
"""The key of a `map` that stands for whatever else is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way to have the value of a field."""

    shown: str
    """For people: its path, or `value`."""
    paths: tuple[Path, ...] = ()
    """One; several are joined by a blank; none when it is a constant."""
    of_document: bool = False
    """Whether they are asked of what stood around the record."""
    value: str | None = None
    """The constant."""
    trim: bool = False
    translate: Dictionary[str, str | None] | None = None
    default: str | None = None
    after: timedelta | None = None
    """By default it is this long after the start."""
    formats: tuple[str, ...] = ()
    number: NumberPattern | None = None
    exclusive: bool = False
    """Whether a date alone is the day behind the last one."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a plan, of a zone or of a place."""

    name: str
    sources: tuple[Source, ...]
    """Tried in turn: the first one that has a value that can be used."""

    @property
    def shown(self) -> str:
        """Give its name and its first path, as messages say it."""
        first = self.sources[0].shown
        return self.name if first in {"", self.name} else f"{self.name} ({first})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a record must say."""

    field: Field
    among: frozenset[str]
    """Values, of which it must have one."""
    negated: bool = False
    """Whether it must have none of them."""


@dataclass(frozen=True, slots=True)
class ZoneMapping:
    """Where some of a record's zones are."""

    each: tuple[Path, ...]
    """Tried in turn: the first one that finds any."""
    fields: Dictionary[str, Field]
    """By the names of `Zone`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How a document leads to the next one. One of the four is said."""

    next: Path | None = None
    """Finds the URL of the next page in the document, or what `cursor` is to say of it."""
    cursor: str | None = None
    """The parameter that asks for what `next` finds, where that is no URL."""
    link: str | None = None
    """The relation of the Link header."""
    parameter: str | None = None
    """A parameter that counts pages, from `start` on."""
    offset: str | None = None
    """A parameter that counts records, by `limit`."""
    start: int = 1
    limit: int = 0
    until_empty: bool = False
    """Whether a page without records is the last one, even where it leads on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """All that `options` of a `mapped` provider say."""

    format: str
    records: str | None
    """The path of records, checked by the format; None for formats that need none."""
    paths: Paths
    fields: Dictionary[str, Field]
    """By the names of `fields`; those of a place as `place.name`, `place.city`, ..."""
    zones: tuple[ZoneMapping, ...] = ()
    where: tuple[Condition, ...] = ()
    deleted: tuple[Condition, ...] = ()
    pages: Pages | None = None
    incremental: bool = False
    namespaces: Dictionary[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    """None: told from the header of the document."""
    quote: str | None = '"'
    columns: tuple[str, ...] = ()
    """Of a CSV document that has no header."""
    encoding: str | None = None
    """Of documents that do not say it themselves."""
    assumed: frozenset[str] = frozenset()
    """Fields that the configuration does not say, and its format does: nobody wonders when no record has one."""
    horizon: int = 365
    """Days for which recurrences are expanded."""
    warnings: tuple[str, ...] = ()
    """What an operator should know, a line each."""
