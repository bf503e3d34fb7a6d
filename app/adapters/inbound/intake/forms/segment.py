"""Calls of Segment's HTTP API become activities, or statements of who somebody is.

`track` is an activity of the type that its name makes (`type_names.py`), `page` is `page_view`, `screen` is
`screen_view`; `identify`, `alias` and `group` count nothing. What has no field of its own is kept in the properties.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.adapters.inbound.intake.forms.kept_properties import ignore, keep
from app.adapters.inbound.intake.forms.renamed_problems import missing, renamed, wrong
from app.adapters.inbound.intake.forms.type_names import type_of_name
from app.adapters.inbound.intake.record_form import UNKNOWN, RecordForm
from app.adapters.inbound.reading.activity_input import read_activities, read_activity
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import RefusedRecordError, shown
from app.adapters.inbound.reading.sent_ids import is_an_id, uuid_in
from app.application.record_activities import SentActivity
from app.domain.activities import ALIAS, GROUP, IDENTIFY, is_countable, with_origin
from app.domain.activity_ids import id_of_text

TRACK = "track"
VIEWS = {"page": "page_view", "screen": "screen_view"}
CORRECTED = "originalTimestamp"
"""What stands beside a `timestamp` that somebody has corrected already."""
STATEMENTS = {"identify": IDENTIFY, "alias": ALIAS, "group": GROUP}
KINDS = (TRACK, *VIEWS, *STATEMENTS)
STATED = "stated"
"""The type by which a statement is read, before it gets its own: no client's type may be that."""
SPENT = frozenset(
    {"type", "event", "messageId", "userId", "anonymousId", "previousId", "timestamp", "originalTimestamp", "sentAt"}
    | {"properties", "channel", "writeKey"}
)
"""What has a place in an activity; the write key has none anywhere."""
KNOWN = SPENT | {
    *("context", "integrations", "traits", "name", "category", "groupId", "version", "_metadata", "receivedAt")
}
PLACES = {
    "id": "messageId",
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "source": "channel",
    "sent_at": "sentAt",
}
PLAIN_NUMBER = re.compile(r"\s*-?\d{1,18}(\.\d{1,24})?\s*", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class SegmentCalls(RecordForm):
    """Calls of one kind, as a route says, or None for calls that say it; `shared` is said of all of a batch."""

    kind: str | None = None
    shared: Mapping[str, Any] = field(default_factory=dict)

    def read_one(self, record: dict[str, Any], reading: Reading) -> SentActivity:
        """Read one."""
        kind = self._kind(record)
        fields = self._fields(kind, record, reading)
        try:
            return _finished(read_activity(fields, reading), kind, record, reading)
        except RefusedRecordError as refused:
            raise renamed(refused, lambda field: self.place_of(record, field)) from None

    def read_all(self, records: list[dict[str, Any]], reading: Reading) -> list[SentActivity] | None:
        """Read many at once."""
        try:
            kinds = [self._kind(record) for record in records]
            fields = [self._fields(*one, reading) for one in zip(kinds, records, strict=True)]
            found = read_activities(fields, reading)
        except RefusedRecordError:
            return None
        return None if found is None else [_finished(*one, reading) for one in zip(found, kinds, records, strict=True)]

    def place_of(self, record: dict[str, Any], field: str) -> tuple[str, ...]:
        """Name the field."""
        kind = self.kind or record.get("type")
        if field == "type":
            return ("event",) if kind == TRACK else ("type",)
        if field == "occurred_at":
            return ("originalTimestamp" if record.get("timestamp") is None else "timestamp",)
        if field == "anonymous_id" and record.get("previousId") is not None and kind == "alias":
            return ("previousId",)
        return (PLACES.get(field, field),)

    def type_of(self, record: dict[str, Any]) -> str:
        """Name the type."""
        kind = self.kind or record.get("type")
        if kind == TRACK:
            name = record.get("event")
            return type_of_name(name) if isinstance(name, str) and name else UNKNOWN
        return VIEWS.get(kind, STATEMENTS.get(kind, UNKNOWN)) if isinstance(kind, str) else UNKNOWN

    def _kind(self, record: dict[str, Any]) -> str:
        """Tell which call it is.

        Raises:
            RefusedRecordError: it does not say, or something else than the route.
        """
        given = record.get("type")
        if given is None and self.kind is None:
            raise RefusedRecordError(missing(f"one of {', '.join(KINDS)}", "type"))
        kind = self.kind or given
        if kind not in KINDS or given not in (None, kind):
            expected = self.kind or f"one of {', '.join(KINDS)}"
            raise RefusedRecordError(wrong("unknown_call", expected, shown(given), "type"))
        return str(kind)

    def _fields(self, kind: str, record: dict[str, Any], reading: Reading) -> dict[str, Any]:
        """Write a call in the words of an activity."""
        fields: dict[str, Any] = {"type": _type(kind, record), "source": record.get("channel")}
        fields["id"] = _id(record.get("messageId"), fields["source"])
        fields["user_id"] = _who(record.get("userId"))
        fields["anonymous_id"] = _who(record.get("anonymousId"))
        if kind == "alias":
            _read_alias(fields, record)
        fields["occurred_at"], others = _times(record)
        sent_at = self.shared.get("sentAt") if record.get("sentAt") is None else record["sentAt"]
        if sent_at is not None and CORRECTED not in others:
            fields["sent_at"] = sent_at
        others += [name for name in ("anonymousId", "previousId") if name in record and name in _unused(kind, record)]
        properties = self._properties(record, others, reading)
        if properties or type(properties) is not dict:  # what is no object is refused as any other
            fields["properties"] = properties
            if kind not in STATEMENTS:
                fields["value"] = _value(record.get("properties"), reading)
        return fields

    def _properties(self, record: dict[str, Any], others: list[str], reading: Reading) -> Any:
        given = record.get("properties")
        if given is not None and type(given) is not dict:
            return given  # it is refused as any other that is no object
        ignore(sorted(record.keys() - KNOWN), reading)
        properties = dict(given) if given else {}
        said = {name: record[name] for name in record if name in others or name not in SPENT}
        used = () if CORRECTED in others else ("sentAt",)
        said |= {name: value for name, value in self.shared.items() if name not in record and name not in used}
        for name, value in said.items():
            if value is not None and value != {} and properties.get(name) != value:
                keep(properties, [(name, value)])
        return properties


def _type(kind: str, record: dict[str, Any]) -> str:
    if kind != TRACK:
        return VIEWS.get(kind, STATED)
    name = record.get("event")
    if isinstance(name, str) and name.strip():
        return type_of_name(name)
    if name is None:
        raise RefusedRecordError(missing("the name of what was done", "event"))
    raise RefusedRecordError(wrong("wrong_type", "the name of what was done", shown(name), "event"))


def _id(given: Any, source: Any) -> Any:
    """Make an id of a message's; what is none is refused as any other."""
    if not isinstance(given, str) or not is_an_id(given):
        return given
    return uuid_in(given) or id_of_text(source if isinstance(source, str) else None, given)


def _who(given: Any) -> Any:
    """Read the id of somebody: some libraries send numbers, and an empty text for nobody."""
    if type(given) is int or (type(given) is Decimal and given == given.to_integral_value()):
        return str(int(given))
    return None if given == "" else given


def _read_alias(fields: dict[str, Any], record: dict[str, Any]) -> None:
    """Find both ids of a user.

    Raises:
        RefusedRecordError: one of them is missing.
    """
    previous = _who(record.get("previousId")) or fields["anonymous_id"]
    for found, name in ((previous, "previousId"), (fields["user_id"], "userId")):
        if found is None:
            raise RefusedRecordError(missing("the id of a user", name))
    fields["anonymous_id"] = previous


def _unused(kind: str, record: dict[str, Any]) -> tuple[str, ...]:
    """List the ids that say nothing in a call: an alias has two alone, and no other call has one of before."""
    if kind != "alias":
        return ("previousId",)
    return ("anonymousId",) if _who(record.get("previousId")) is not None else ("previousId",)


def _times(record: dict[str, Any]) -> tuple[Any, list[str]]:
    """Find when it happened, and what else is said of time and to be kept.

    `originalTimestamp` is by the sender's clock. Beside it, `timestamp` is one that somebody has corrected already.
    """
    original, corrected = record.get("originalTimestamp"), record.get("timestamp")
    if original is None:
        return corrected, []
    if corrected is None:
        return original, []
    return corrected, [name for name in (CORRECTED, "sentAt") if name in record]


def _value(properties: Any, reading: Reading) -> Decimal | int | None:
    """Find what it is worth. What is no number stays a property, and is named."""
    if type(properties) is not dict:
        return None
    name = "revenue" if properties.get("revenue") is not None else "value"
    given = properties.get(name)
    if isinstance(given, str) and PLAIN_NUMBER(given):
        given = Decimal(given.strip())
    if (type(given) is int or type(given) is Decimal) and is_countable(Decimal(given)):
        return given
    if given is not None:
        reading.ignore([f"properties.{name}"])
    return None


def _finished(read: SentActivity, kind: str, record: dict[str, Any], reading: Reading) -> SentActivity:
    """Give a statement its type, and note how a call named itself where that is not what it became."""
    noted: dict[str, str] = {}
    if read.activity_id is not None and uuid_in(record["messageId"]) is None:
        noted["id"] = reading.sent_ids[read.activity_id] = record["messageId"]
    if kind == TRACK and record["event"] != read.type:
        noted["type"] = record["event"]
    if kind in STATEMENTS:
        read = read._replace(type=STATEMENTS[kind])
    return read._replace(origin=with_origin(read.origin, **noted)) if noted else read
