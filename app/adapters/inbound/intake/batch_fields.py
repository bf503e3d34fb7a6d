"""What a batch says of all its records, beside them."""

from pydantic_core import PydanticCustomError

from app.adapters.inbound.intake.sent_records import SentRecords
from app.adapters.inbound.reading.json_record import parse_value
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import NotJsonError, RefusedRecordError
from app.adapters.inbound.reading.sent_instants import sent_instant

SENT_AT = ("sent_at", "sentAt")
LONGEST = 100
"""Bytes of an instant."""


def read_batch_fields(sent: SentRecords, reading: Reading) -> tuple[SentRecords, list[str]]:
    """Read when a batch was sent; name what means nothing, which is also an instant that is none."""
    ignored = []
    for name, said in sent.beside.items():
        try:
            if name not in SENT_AT or reading.sent_at is not None or len(said) > LONGEST:
                ignored.append(name)
            else:
                reading.sent_at = sent_instant(parse_value(said))
        except (PydanticCustomError, NotJsonError, RefusedRecordError):
            ignored.append(name)
    # What was read quickly says nothing of clocks, and its answer nothing of names.
    return sent._replace(quick=None) if ignored or reading.is_off else sent, ignored
