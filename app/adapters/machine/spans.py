"""What all adapters that make spans share. Imported only while traces are on: OpenTelemetry is an extra."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII).fullmatch
_LONGEST = 512


def read_traceparent(text: str) -> SpanContext | None:
    """Read who caused this, as W3C Trace Context, 3.2 spells it; None when it says nothing that is valid."""
    found = _TRACEPARENT(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more):
        return None
    context = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return context if context.is_valid else None


def current_traceparent() -> str | None:
    """Spell what is going on here, for whoever goes on with it elsewhere; None when nobody records it."""
    span = get_current_span()
    if not span.is_recording():
        return None
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def below(parent: SpanContext | None) -> Context:
    """Say where a span belongs: under `parent`, or nowhere; never under what happens to be current."""
    return set_span_in_context(NonRecordingSpan(parent), Context()) if parent else Context()


def note_failure(span: Span, error_type: str) -> None:
    """Mark a span as failed. By a word only: messages may hold what was sent."""
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


@contextmanager
def failure_noted(*spans: Span) -> Iterator[None]:
    """Mark spans as failed when the block raises."""
    try:
        yield
    except Exception as error:
        for span in spans:
            note_failure(span, type(error).__qualname__)
        raise
