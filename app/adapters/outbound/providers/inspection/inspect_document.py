"""A document, or its beginning -> what it is, what repeats in it, and a mapping to begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.adapters.outbound.providers.inspection.calendar_options import calendar_options
from app.adapters.outbound.providers.inspection.columns import Group, Names, columns_of, groups_of, records_at
from app.adapters.outbound.providers.inspection.date_forms import Reads
from app.adapters.outbound.providers.inspection.nodes import Node
from app.adapters.outbound.providers.inspection.options_of_choices import Options, OptionsWriter, shortened
from app.adapters.outbound.providers.inspection.pages import pages_of
from app.adapters.outbound.providers.inspection.path_text import PathWriter
from app.adapters.outbound.providers.inspection.recognition import HEAD, Format, Recognised, recognise
from app.adapters.outbound.providers.inspection.record_paths import RecordPath, in_full, record_paths
from app.adapters.outbound.providers.inspection.repeated import repeated_in
from app.adapters.outbound.providers.inspection.sampling import sample
from app.application.ports.feed_trials import RepeatedElements

SAMPLE = 4 * 1024 * 1024
"""Bytes that are looked at; of a longer document its beginning."""
NO_START = "nothing in it was understood as the start of something; say where it is by a mapping (--mapping)"
_FEW_RECORDS, _MOST_HINTS = 10, 12
_LIKELY = 2.0
"""The score from which on another path of records is worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found out about a document."""

    recognised: Recognised
    repeated: Sequence[RepeatedElements] = ()
    kind: str | None = None
    """Of provider: `mapped` or `plan-list-xml`; None: nothing can be proposed."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What stands under `options` of the kind `mapped`."""
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a reader should know of a key (dotted)."""
    timezone: str | None = None
    """What the document says that its times are local to."""
    is_local: bool = False
    """Whether it has times without an offset, so that the time zone counts."""
    others: Sequence[str] = ()
    """Other paths of which each match could be a record."""
    unused: Sequence[str] = ()
    """Paths of the records that no field was made of."""
    trouble: str | None = None
    """Why nothing can be proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is looked at."""

    head: bytes
    """Its first bytes, SAMPLE of them or all; not packed."""
    is_whole: bool
    """Whether they are all."""
    charset: str | None = None
    """What the server said."""
    link: str | None = None
    """The target of the server's Link header with the relation `next`."""
    timezone: str | None = None
    """Whose customs count where a date can be read in two ways."""
    base: str = "all"
    """The base id to propose where nothing is an id."""


def inspect_document(document: Document) -> Inspection:
    """Look at a document, and propose how to map it."""
    recognised = recognise(document.head[:HEAD], document.charset)
    if recognised.format is None:
        return Inspection(recognised=recognised, trouble=f"this is {recognised.said}")
    root = sample(document.head, recognised, whole=document.is_whole)
    groups = groups_of(root)
    found = Inspection(recognised=recognised, repeated=repeated_in(root, groups))
    if recognised.built_in:
        return replace(found, kind="plan-list-xml", is_local=True)
    if recognised.format is Format.ICALENDAR:
        calendar = calendar_options(root)
        return replace(
            found,
            kind="mapped",
            options=calendar.options.said,
            notes=calendar.options.notes,
            timezone=calendar.timezone,
            is_local=calendar.is_local,
        )
    paths = record_paths(root, groups, document.timezone)
    if not paths:
        return replace(found, trouble=NO_START + _hint(root, groups, recognised.format))
    return _Proposal(document, recognised, root, groups).of(paths, found)


@dataclass(frozen=True, slots=True)
class _Proposal:
    document: Document
    recognised: Recognised
    root: Node
    groups: dict[Names, Group]

    def of(self, paths: Sequence[RecordPath], found: Inspection) -> Inspection:
        chosen = in_full(self.root, paths[0], self.groups, self.document.timezone)
        writer, options = self._paths(chosen.group), Options()
        records = writer.records()
        body = OptionsWriter(writer, options).write(chosen.choices, self.document.base).said
        head = self._head(writer)
        if records:
            head["records"] = records
            options.note("records", f"{chosen.group.count:,} of them here")
        if paged := pages_of(self.root, writer, self.document.link):
            head["pages"] = paged[0]
            options.note("pages", paged[1])
        if "deleted" in body and paged:
            head["incremental"] = True
            options.note("incremental", "records say that they were deleted, page by page: absence means nothing")
        others = [self._paths(one.group).records() for one in paths[1:4] if one.score > _LIKELY and one.has_own_start]
        return replace(
            found,
            kind="mapped",
            options={**head, **body},
            notes=options.notes,
            is_local=_is_local(chosen),
            others=[one for one in others if one],
            unused=_unused(chosen, writer),
        )

    def _paths(self, group: Group) -> PathWriter:
        assert self.recognised.format is not None  # noqa: S101 - it was recognised
        listed = frozenset(names for names, one in self.groups.items() if one.listed)
        return PathWriter(self.recognised.format, group.names, listed)

    def _head(self, writer: PathWriter) -> dict[str, Any]:
        said: dict[str, Any] = {"format": str(writer.format)}
        if self.recognised.delimiter not in {None, ","}:
            said["delimiter"] = self.recognised.delimiter
        if self.recognised.encoding == "cp1252":
            said["encoding"] = "windows-1252"
        if writer.namespaces:
            said["namespaces"] = dict(writer.namespaces)
        return said


def _hint(root: Node, groups: dict[Names, Group], format_: Format) -> str:
    """Say the likeliest records and the paths of what stands in them, for who writes the mapping."""
    repeated = [group for names, group in groups.items() if len(names) > 1 and group.count > 1 and group.is_branch]
    if not repeated:
        return ""
    group = max(repeated, key=lambda one: one.count)
    writer = PathWriter(format_, group.names, frozenset(names for names, one in groups.items() if one.listed))
    columns = columns_of(records_at(root, group.names, _FEW_RECORDS))[:_MOST_HINTS]
    said = [f"{writer.value(one.place)} ({shortened(one.present[0])})" for one in columns if one.place.up == 0]
    where = f"of the records {writer.records()}, " if writer.records() else ""
    return f"; the paths {where}with their first values: {', '.join(said)}"


def _is_local(chosen: RecordPath) -> bool:
    starts = chosen.choices.starts
    forms = [one.form for one in starts.columns] if starts else []
    return "zone" not in chosen.choices.fields and any(
        form and form.reads in (Reads.WALL_CLOCK, Reads.DATE) for form in forms
    )


def _unused(chosen: RecordPath, writer: PathWriter) -> list[str]:
    choices = chosen.choices
    used = {id(choice.facts) for choice in choices.fields.values()}
    for time in (choices.starts, choices.ends):
        used |= {id(one) for one in (*(time.columns if time else ()), time.time_of_day if time else None)}
        used |= {id(time.length)} if time else set()
    within = choices.zones.names if choices.zones else None
    left = [
        one for one in chosen.facts
        if id(one) not in used and one.column.place.up == 0 and (within is None or one.names[: len(within)] != within)
    ]  # fmt: skip
    return [f"{writer.value(one.column.place)} ({shortened(one.column.present[0])})" for one in left[:20]]
