"""Answering Segment's clients: they look at the status alone, and people at what was refused."""

from typing import Any

import msgspec

from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.inbound.http.ingest.ingest_answers import ignored_names, refuse_all, refuse_one, refused_records
from app.adapters.inbound.intake.judged_records import JudgedRecords
from app.application.record_activities import Recording

SUCCESS = Reply(200, b'{"success":true}')

_encode = msgspec.json.Encoder().encode


def reply_to_segment(judged: JudgedRecords, recording: Recording) -> Reply:
    """Answer calls: 200 where one was taken, 400 where none was, so that no client sends the same once more."""
    if not judged.refused:
        told = ignored_names(judged)
        return Reply(200, _encode({"success": True} | told)) if told else SUCCESS
    if judged.sent.pointer is None:
        return refuse_one(judged.refused[0])
    if len(judged.refused) == len(judged.sent.records):
        return refuse_all(judged)
    answer: dict[str, Any] = {
        "success": True,
        "accepted": len(judged.sent.records) - len(judged.refused) - len(recording.duplicates),
        "duplicates": len(recording.duplicates),
        "refused": len(judged.refused),
        "results": refused_records(judged, judged.sent.pointer),
    }
    return Reply(200, _encode(answer | ignored_names(judged)))
