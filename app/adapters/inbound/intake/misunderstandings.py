"""What of a delivery was not understood, for those who run the service."""

from collections import Counter

import msgspec

from app.adapters.inbound.intake.judged_records import JudgedRecords
from app.adapters.inbound.intake.sent_records import Sent
from app.application.note_refusals import IGNORED_FIELDS, PLACEHOLDER_USERS, NoteRefusals

_encode = msgspec.json.Encoder(decimal_format="number").encode


def note_misunderstandings(judged: JudgedRecords, note: NoteRefusals) -> None:
    """Note refusals by the code of their first problem with the last record of each, and what was ignored."""
    reading = judged.reading
    if judged.refused:
        counts = Counter(problems[0].code for problems in judged.refused.values())
        last = {problems[0].code: index for index, problems in judged.refused.items()}
        for code, index in last.items():
            note(code, counts[code], judged.refused[index][0].message, _as_sent(judged.sent.records[index]))
    if reading.ignored:
        note(IGNORED_FIELDS, reading.ignored.total(), f"fields that mean nothing: {', '.join(reading.ignored)}")
    if reading.placeholders:
        told = ", ".join(reading.placeholders)
        note(PLACEHOLDER_USERS, reading.placeholders.total(), f"users that are none: {told}")


def _as_sent(record: Sent) -> bytes:
    return record if isinstance(record, bytes) else _encode(record)
