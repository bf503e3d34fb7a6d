"""`GET /activities/refused`: what doors did not understand of late, by reason, with samples."""

from itertools import groupby

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app.adapters.inbound.answering.answers import instant
from app.adapters.inbound.http.describing.answers import json_response
from app.application.note_refusals import counts_by_reason
from app.application.ports.refused_samples import RefusedSamples
from app.application.watch_service import WatchService
from app.domain.refused_samples import RefusedSample


class SampleAnswer(BaseModel):
    """Something that was not understood."""

    noted_at: str = Field(json_schema_extra={"format": "date-time"})
    message: str = Field(description="What was found and what was expected")
    record: str = Field(description="The beginning of the record, keys masked; empty where nobody has it")


class ReasonAnswer(BaseModel):
    """A reason."""

    reason: str = Field(examples=["wrong_type", "ignored_fields", "placeholder_users"])
    count: int = Field(
        description="How often, since the first one ever; what processes have just counted may be missing"
    )
    samples: list[SampleAnswer] = Field(description="The newest first")


class RefusedAnswer(BaseModel):
    """What doors did not understand."""

    shared: bool = Field(description="false: Redis is away, and the samples are those of one process")
    reasons: list[ReasonAnswer]


def refusals_router(samples: RefusedSamples, service: WatchService) -> APIRouter:
    """Make the route."""
    router = APIRouter(prefix="/activities", tags=["operations"])

    @router.get(
        "/refused",
        summary="Why activities were refused, what was ignored, and the last samples",
        response_model=RefusedAnswer,
    )
    async def list_refused() -> Response:
        found = await samples.last()
        by_reason = {reason: list(some) for reason, some in groupby(found.samples, key=lambda sample: sample.reason)}
        counts = counts_by_reason(service.counted or {})
        reasons = [
            _reason(name, counts.get(name, 0), by_reason.get(name, [])) for name in sorted({*counts, *by_reason})
        ]
        return json_response({"shared": found.is_shared, "reasons": reasons})

    return router


def _reason(name: str, count: int, samples: list[RefusedSample]) -> dict[str, object]:
    told = [
        {"noted_at": instant(sample.noted_at), "message": sample.message, "record": sample.record} for sample in samples
    ]
    return {"reason": name, "count": max(count, len(samples)), "samples": told}
