"""Records that came out of `marquee export`: taken as they were stored, also what no door takes under its name.

That is: statements of who somebody is, types that were reserved since, users that are placeholders now, and `origin`.
They are known by their shape, which is that of an export to the order of the fields.
"""

import re
from typing import Any

import msgspec

from app.adapters.inbound.reading.activity_input import read_activities, read_activity
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.reading import Reading
from app.application.ports.activity_archive import EXPORT_COLUMNS
from app.application.record_activities import SentActivity
from app.domain.activities import ACTIVITY_TYPE, STATEMENTS

ORIGIN = frozenset({"id", "type", "occurred_at", "sent_at", "received_at", "publishable"})
"""What stands in an `origin`, see Activity."""
STAND_IN = "exported"
"""The type under which the other fields are read."""
AS_THEY_ARE = FieldNames(no_users=frozenset())

is_exported_line = re.compile(r'\{"id":"[0-9a-f-]{36}","type":"[^"]+","occurred_at":"').match
"""Tells a line of an export by its beginning; only such a one may be longer than an activity at the door."""

_encode = msgspec.json.Encoder(decimal_format="number").encode

Record = dict[str, Any]


def read_records(records: list[Record], reading: Reading) -> list[SentActivity] | None:
    """Read many at once, as `read_record` reads each; None when one of them breaks a rule.

    Raises:
        RefusedRecordError: one that was exported breaks one.
    """
    exported = [position for position, record in enumerate(records) if _is_as_stored(record)]
    if not exported:
        return read_activities(records, reading)
    left = set(exported)
    usual = read_activities([record for position, record in enumerate(records) if position not in left], reading)
    if usual is None:
        return None
    for position in exported:
        usual.insert(position, _read_as_stored(records[position]))
    return usual


def read_record(record: Record, reading: Reading) -> SentActivity:
    """Read one record of a file.

    Raises:
        RefusedRecordError: it breaks a rule.
    """
    return _read_as_stored(record) if _is_as_stored(record) else read_activity(record, reading)


def _is_as_stored(record: Record) -> bool:
    """Tell whether a record is of an export, and more than a door would take."""
    type_, origin = record.get("type"), record.get("origin")
    if type(origin) is not dict and type_ not in STATEMENTS:
        return False
    return (
        list(record) == [name for name in EXPORT_COLUMNS if name in record]
        and {"id", "occurred_at"} <= record.keys()
        and (origin is None or (type(origin) is dict and ORIGIN.issuperset(origin)))
        and (type_ in STATEMENTS or (type(type_) is str and ACTIVITY_TYPE.fullmatch(type_) is not None))
    )


def _read_as_stored(record: Record) -> SentActivity:
    others = {name: value for name, value in record.items() if name != "origin"}
    sent = read_activity({**others, "type": STAND_IN}, Reading(names=AS_THEY_ARE))
    origin = record.get("origin")
    return sent._replace(type=record["type"], origin=_encode(origin).decode() if origin else None)
