"""What a trial of a feed has found: for people as lines and tables, for programs as one document."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from app.adapters.inbound.cli.catalog_tables import counted, shortened
from app.adapters.inbound.cli.listing import Cell, Listing
from app.application.ports.feed_trials import FeedFindings
from app.application.try_feed import Trial, TrialReading
from app.domain.feeds import Rejection
from app.domain.plans import Plan

MIB = 1024 * 1024
NOTHING = "no plan could be read"


def trial_lines(trial: Trial) -> Iterator[Listing | str]:
    """Say it all, in the order in which somebody reads it."""
    findings, reading = trial.findings, trial.reading
    yield from _found(findings)
    if findings.trouble:
        yield f"nothing is proposed: {findings.trouble}"
    if reading:
        yield ""
        yield "The first plans:" if reading.usable else f"{NOTHING}: {_why_nothing(findings, reading)}"
        if reading.plans:
            yield Listing.of(reading.plans, _OF_PLAN, empty=NOTHING)
        yield _summary(reading)
        if reading.rejections:
            yield ""
            yield "Rejected:"
            yield Listing.of(reading.rejections, _OF_REJECTION, empty="")
    if findings.entry:
        yield ""
        yield "For config.yaml, beside the other providers; then `marquee check` and `marquee sync NAME --dry-run`:"
        yield ""
        yield from findings.entry


def _why_nothing(findings: FeedFindings, reading: TrialReading) -> str:
    if reading.rejections:
        return "see what was rejected, and mend the mapping"
    if findings.format == "icalendar":
        return "no event lies between today and the end of `horizon`"
    return "the mapping finds no record"


def trial_document(trial: Trial) -> dict[str, Any]:
    """Say the same for programs."""
    findings, reading = trial.findings, trial.reading
    return {
        "source": findings.source,
        "format": findings.format,
        "encoding": findings.encoding,
        "said": findings.said,
        "fetched_bytes": findings.fetched_bytes,
        "document_bytes": findings.document_bytes,
        "looked_at_bytes": findings.looked_at_bytes,
        "repeated": [
            {"path": one.path, "count": one.count, "examples": list(one.examples)} for one in findings.repeated
        ],
        "kind": findings.kind,
        "timezone": findings.timezone,
        "options": dict(findings.options),
        "entry": "\n".join(findings.entry),
        "trouble": findings.trouble,
        "plans": [_plan(plan) for plan in reading.plans] if reading else [],
        "usable": reading.usable if reading else 0,
        "withdrawn": reading.withdrawn if reading else 0,
        "passed_over": reading.passed_over if reading else 0,
        "ignored": dict(reading.ignored) if reading else {},
        "is_whole": bool(reading and reading.is_whole),
        "broken": reading.broken if reading else None,
        "rejected": dict(reading.reasons) if reading else {},
        "rejections": [_rejection(one) for one in reading.rejections] if reading else [],
    }


def _found(findings: FeedFindings) -> Iterator[Listing | str]:
    packed = "" if findings.fetched_bytes == findings.document_bytes else f", {findings.fetched_bytes:,} as they came"
    yield f"{findings.source}: {findings.said}"
    yield f"{findings.encoding or 'no text'}, {findings.document_bytes:,} bytes{packed}"
    if findings.looked_at_bytes < findings.document_bytes:
        yield f"only its first {findings.looked_at_bytes / MIB:.0f} MiB were looked at: counts and examples are theirs"
    if findings.repeated:
        rows = [(one.path, f"{one.count:,}", "; ".join(one.examples)) for one in findings.repeated]
        yield Listing("+repeated", ">count", "+examples", rows=rows, empty="")


def _summary(reading: TrialReading) -> str:
    parts = [f"{reading.usable:,} plans could be read"]
    if reading.reasons:
        parts.append(f"rejected: {counted(reading.reasons)}")
    if reading.passed_over:
        parts.append(f"{reading.passed_over:,} passed over by `where`")
    if reading.withdrawn:
        parts.append(f"{reading.withdrawn:,} withdrawn")
    if reading.ignored:
        parts.append(f"ignored: {counted(reading.ignored)}")
    if reading.broken:
        parts.append(f"the document breaks: {reading.broken}")
    elif not reading.is_whole:
        parts.append("the rest was not read")
    return "; ".join(parts)


def when(at: datetime | None, *, has_time: bool) -> str:
    """Say a plan's start or end on its own clock."""
    if at is None:
        return "-"
    if not has_time:
        return at.date().isoformat()
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second else "%Y-%m-%d %H:%M")


def priced(plan: Plan) -> str:
    """Say a plan's prices, with their currency when it is known."""
    prices = plan.prices
    if prices is None:
        return "-"
    said = f"{prices.lowest}" if prices.lowest == prices.highest else f"{prices.lowest} - {prices.highest}"
    return f"{said} {plan.details.currency}" if plan.details and plan.details.currency else said


def _place(plan: Plan) -> str:
    place = plan.details.place if plan.details else None
    return ", ".join(part for part in (place.name, place.city) if part) if place else "-"


def _plan(plan: Plan) -> dict[str, Any]:
    prices, details = plan.prices, plan.details
    place = details.place if details else None
    return {
        "base_id": plan.key.base_id,
        "item_id": plan.key.item_id,
        "title": plan.title,
        "starts": when(plan.starts, has_time=plan.start_has_time),
        "ends": when(plan.ends, has_time=plan.end_has_time) if plan.ends else None,
        "timezone": plan.timezone,
        "min_price": prices.lowest if prices else None,
        "max_price": prices.highest if prices else None,
        "currency": details.currency if details else None,
        "status": plan.status,
        "place": {
            "name": place.name,
            "city": place.city,
            "country": place.country,
            "latitude": place.latitude,
            "longitude": place.longitude,
        }
        if place
        else None,
        "url": details.url if details else None,
        "image": details.image if details else None,
        "category": details.category if details else None,
        "zones": len(plan.zones),
    }


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "reason": rejection.reason,
        "message": rejection.message,
        "line": rejection.line,
        "part": rejection.part,
        "source": rejection.source,
    }


_OF_PLAN: Mapping[str, Callable[[Plan], Cell]] = {
    "start": lambda plan: when(plan.starts, has_time=plan.start_has_time),
    "end": lambda plan: when(plan.ends, has_time=plan.end_has_time),
    "+title": lambda plan: plan.title,
    ">prices": priced,
    "+place": _place,
    "status": lambda plan: plan.status,
}
_OF_REJECTION: Mapping[str, Callable[[Rejection], Cell]] = {
    ">line": lambda one: str(one.line or "-"),
    "+part": lambda one: one.part or "the record",
    "+reason": lambda one: one.reason,
    "+message": lambda one: one.message,
    "+source": lambda one: shortened(" ".join(one.source.split())),
}
