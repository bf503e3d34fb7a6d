"""CloudEvents 1.0 become activities: source and id are the identity, the subject is the user, the data the properties.

The attributes are those of the specification (CloudEvents 1.0.2) and its JSON event format; what of an event has no
place in an activity is kept among its properties.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64Error
from dataclasses import dataclass
from typing import Any

from app.adapters.formats.media_types import media_type
from app.adapters.inbound.intake.forms.kept_properties import ignore, keep
from app.adapters.inbound.intake.forms.renamed_problems import missing, renamed, wrong
from app.adapters.inbound.intake.record_form import RecordForm, type_or_unknown
from app.adapters.inbound.reading.activity_fields import LONGEST_ID
from app.adapters.inbound.reading.activity_input import read_activities, read_activity
from app.adapters.inbound.reading.json_record import parse_value
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError, shown
from app.application.record_activities import SentActivity
from app.domain.activities import LONGEST_USER_ID, with_origin
from app.domain.activity_ids import id_of_text

SUBJECT = "subject"
ANONYMOUS = "anonymousid"
"""The extension attribute of visitors whom nobody knows."""
MEANT = frozenset({"specversion", "id", "source", "type", "time", "datacontenttype", "data", "data_base64"})
"""What is not kept by its own name."""
LAWFUL_NAME = re.compile(r"[a-z0-9]+", re.ASCII).fullmatch
MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+ *(;.*)?", re.ASCII).fullmatch
ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+").fullmatch
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]").search
PLACES = {"occurred_at": ("time",), "user_id": (SUBJECT,), "value": ("data", "value"), "properties": ("data",)}


@dataclass(frozen=True, slots=True)
class CloudEvents(RecordForm):
    """Events in the JSON event format; `user` is the attribute that says whose an event is, None: none does."""

    user: str | None = SUBJECT

    def read_one(self, record: dict[str, Any], reading: Reading) -> SentActivity:
        """Read one."""
        fields = self._fields(record, reading)
        try:
            return _named(read_activity(fields, reading), record, reading)
        except RefusedRecordError as refused:
            raise renamed(refused, lambda field: self.place_of(record, field)) from None

    def read_all(self, records: list[dict[str, Any]], reading: Reading) -> list[SentActivity] | None:
        """Read many at once."""
        try:
            found = read_activities([self._fields(record, reading) for record in records], reading)
        except RefusedRecordError:
            return None
        if found is None:
            return None
        return [_named(one, record, reading) for one, record in zip(found, records, strict=True)]

    def place_of(self, record: dict[str, Any], field: str) -> tuple[str, ...]:  # noqa: ARG002 - each field has one name
        """Name the field."""
        if field == "user_id" and self.user:
            return (self.user,)
        return PLACES.get(field, (ANONYMOUS,) if field == "anonymous_id" else (field,))

    def type_of(self, record: dict[str, Any]) -> str:
        """Name the type."""
        return type_or_unknown(record.get("type"))

    def _fields(self, event: dict[str, Any], reading: Reading) -> dict[str, Any]:
        """Write an event in the words of an activity.

        Raises:
            RefusedRecordError: it is no CloudEvent.
        """
        _check(event)
        source = event["source"]
        fields = {"id": id_of_text(source, event["id"]), "source": source, "occurred_at": event.get("time")}
        if "type" in event:
            fields["type"] = event["type"]
        properties, value = _data(event)
        others = event.keys() - MEANT
        if others:
            for field, name in (("user_id", self.user), ("anonymous_id", ANONYMOUS)):
                if name in others and (found := _who(event[name], name, reading)):
                    fields[field] = found
                    others.remove(name)
            if others:
                properties = {} if properties is None else dict(properties)
                keep(properties, sorted((name, event[name]) for name in others if event[name] is not None))
                ignore(sorted(name for name in others if not LAWFUL_NAME(name)), reading)
        if value is not None:
            fields["value"] = value
        if properties is not None:
            fields["properties"] = properties
        return fields


def _named(read: SentActivity, event: dict[str, Any], reading: Reading) -> SentActivity:
    """Keep the id that an event has among those of its source."""
    if read.activity_id is not None:
        reading.sent_ids[read.activity_id] = event["id"]
    return read._replace(origin=with_origin(read.origin, id=event["id"]))


def _check(event: dict[str, Any]) -> None:
    id_, source = event.get("id"), event.get("source")
    if event.get("specversion") == "1.0" and type(id_) is str and type(source) is str and id_ and source:
        kind, schema = event.get("datacontenttype"), event.get("dataschema")
        if len(id_) <= LONGEST_ID and (kind is None or kind == "application/json") and schema is None:
            return
    problems = _problems(event)
    if problems:
        raise RefusedRecordError(*problems)


def _problems(event: dict[str, Any]) -> list[Problem]:
    """List what is wrong with the attributes that an activity has no rule for."""
    found = [
        problem
        for name, expected in (("specversion", '"1.0"'), ("id", "text"), ("source", "a URI reference"))
        if (problem := _flaw_of_needed(event.get(name), name, expected))
    ]
    for name, is_right, expected in (
        ("datacontenttype", MEDIA_TYPE, "a media type such as application/json"),
        ("dataschema", ABSOLUTE_URI, "an absolute URI"),
    ):
        given = event.get(name)
        if given is not None and not (isinstance(given, str) and is_right(given)):
            found.append(wrong(f"invalid_{name}", expected, shown(given), name))
    return found


def _flaw_of_needed(given: Any, name: str, expected: str) -> Problem | None:
    if given is None:
        return missing(f"{expected}, as each CloudEvent has it", name)
    if not isinstance(given, str):
        return wrong("wrong_type", expected, shown(given), name)
    if not given:
        return wrong("empty", expected, shown(given), name)
    if name == "specversion" and given != "1.0":
        return wrong("unsupported_specversion", expected, shown(given), name)
    if name == "id" and len(given) > LONGEST_ID:
        return wrong("too_long", f"text of 1 to {LONGEST_ID} characters", shown(given), name)
    return None


def _who(given: Any, name: str, reading: Reading) -> str | None:
    """Read an attribute as the id of somebody; what can be none is named, and kept as any other attribute."""
    found = str(given) if type(given) is int else given
    if isinstance(found, str) and 1 <= len(found) <= LONGEST_USER_ID and not CONTROL_CHARACTER(found):
        return found
    if given is not None:
        reading.ignore([name])
    return None


def _data(event: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    """Read the data: as properties, and a value if that is among them."""
    data, name = event.get("data"), "data"
    if event.get("data_base64") is not None:
        name, data = _unpacked(event)
    properties = data if type(data) is dict or data is None else {name: data}
    kind = event.get("datacontenttype")
    if kind is not None and kind != "application/json" and not media_type(kind).is_json:
        properties = {} if properties is None else dict(properties)
        keep(properties, [("datacontenttype", kind)])
        return properties, None
    return properties, (data.get("value") if type(data) is dict else None)


def _unpacked(event: dict[str, Any]) -> tuple[str, Any]:
    """Read data that came in Base64: as JSON where it is said to be that, else it stays as it is, under that name."""
    given, kind = event["data_base64"], event.get("datacontenttype")
    if event.get("data") is not None:
        message = "data and data_base64 exclude each other: send one of them"
        raise RefusedRecordError(Problem("ambiguous_field", message, "/data_base64"))
    try:
        plain = b64decode(given, validate=True) if isinstance(given, str) else None
    except (NotBase64Error, ValueError):
        plain = None
    if plain is None:
        raise RefusedRecordError(wrong("invalid_base64", "text in Base64", shown(given), "data_base64"))
    if kind is not None and not media_type(kind).is_json:
        return "data_base64", given
    try:
        return "data", parse_value(plain)
    except (NotJsonError, RefusedRecordError):
        if kind is None:
            return "data_base64", given
        raise RefusedRecordError(wrong("invalid_json", "JSON in Base64", "something else", "data_base64")) from None
