"""From the text of a field to its value, strictly: each function gives it, or says what was found and expected."""

import math
import re
from decimal import Decimal
from urllib.parse import urlsplit

from app.adapters.outbound.providers.mapped.mapping import Field, Source
from app.adapters.outbound.providers.mapped.moments import (
    Length,
    Moment,
    NotThisFormatError,
    TimeOfDay,
    is_zone,
    read_moment,
)
from app.adapters.outbound.providers.reading import values
from app.adapters.outbound.providers.reading.values import UnusableError
from app.domain.feeds import RejectionReason
from app.domain.plans import PlanStatus

MAX_URL = 2_000

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_DECIMAL = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,30})?")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


def text_in(said: str | Moment) -> str:
    """Give a text; of formats that know times as such, how they are written."""
    return said if isinstance(said, str) else said.at.isoformat()


def moment(field: Field, source: Source, said: str | Moment) -> Moment | TimeOfDay | Length:
    """Read a time in one of the formats of its source."""
    if isinstance(said, Moment):
        return said
    try:
        return read_moment(said, source.formats)
    except NotThisFormatError:
        expected = " or ".join(source.formats)
        raise unusable(RejectionReason.INVALID_DATE, field, said, f"an existing time as {expected}") from None


def zone(field: Field, said: str) -> str:
    """Read the name of a time zone."""
    if not is_zone(said.strip()):
        raise unusable(RejectionReason.INVALID_VALUE, field, said, "an IANA time zone such as Europe/Madrid")
    return said.strip()


def status(field: Field, said: str) -> PlanStatus:
    """Read what became of a plan."""
    try:
        return PlanStatus(said)
    except ValueError:
        expected = f"{', '.join(PlanStatus)}; `map` says what others mean"
        raise unusable(RejectionReason.INVALID_VALUE, field, said, expected) from None


def currency(field: Field, said: str) -> str:
    """Read the code of a currency."""
    if not _CURRENCY.fullmatch(said.strip()):
        raise unusable(RejectionReason.INVALID_VALUE, field, said, "three letters (ISO 4217)")
    return said.strip().upper()


def web_address(field: Field, said: str) -> str:
    """Read a URL that may be shown as a link."""
    said = said.strip()
    try:
        parts = urlsplit(said)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not _BLANK.search(said)
    except ValueError:
        good = False
    if not good or len(said) > MAX_URL:
        expected = f"an http:// or https:// URL of at most {MAX_URL:,} characters"
        raise unusable(RejectionReason.INVALID_VALUE, field, said, expected)
    return said


def degrees(field: Field, source: Source, said: str, most: int) -> float:
    """Read a latitude (`most` 90) or a longitude (`most` 180)."""
    text = _number(field, source, said)
    value = float(text) if _DECIMAL.fullmatch(text) else math.inf
    if abs(value) > most:
        raise unusable(RejectionReason.INVALID_NUMBER, field, said, f"degrees from -{most} to {most}")
    return value


def price(field: Field, source: Source, said: str) -> Decimal:
    """Read a price."""
    return values.price(_number(field, source, said))


def capacity(field: Field, source: Source, said: str) -> int:
    """Read a number of tickets."""
    return values.capacity(_number(field, source, said))


def _number(field: Field, source: Source, said: str) -> str:
    if source.number is None:
        return said.strip()
    found = source.number.plain(said)
    if found is not None:
        return found
    raise unusable(RejectionReason.INVALID_NUMBER, field, said, f"a number as {source.number.shown}")


def unusable(reason: RejectionReason, field: Field, said: str, expected: str) -> UnusableError:
    """Say what was found and what was expected."""
    shown = said if len(said) <= 80 else f"{said[:80]}... ({len(said):,} characters)"  # noqa: PLR2004 - one line of a terminal
    return UnusableError(reason, f"{field.shown} is {shown!r}, expected {expected}")
