"""The known attributes of a feed, read strictly: each function gives the value, or says what was found and expected."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Context, Decimal

from app.adapters.formats.iso_8601 import DATE, END_OF_DAY, FRACTION, TIME_OF_DAY
from app.domain.feeds import RejectionReason
from app.domain.plans import SellMode

MAX_ID = 255
MAX_TEXT = 1_000
BOOLEANS = {"true": True, "false": False}

_WALL_CLOCK = re.compile(rf"{DATE}T{TIME_OF_DAY}(?:{FRACTION})?", re.ASCII)
_MIDNIGHT = re.compile(rf"({DATE})T{END_OF_DAY}", re.ASCII)
_CAPACITY = re.compile(r"[0-9]{1,18}")
_PRICE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,20})?")
_PRICE_CONTEXT = Context(prec=32)
_CENTS = Decimal("0.01")


class UnusableError(Exception):
    """Why a record, or a part of one, cannot be used; becomes a Rejection."""

    def __init__(self, reason: RejectionReason, message: str) -> None:
        """Keep what a Rejection is made of."""
        super().__init__(message)
        self.reason = reason
        self.message = message


def required(said: Mapping[str, str], tag: str, name: str) -> str:
    """Read an attribute that must be there."""
    value = said.get(name)
    if value is None:
        raise UnusableError(RejectionReason.MISSING_ATTRIBUTE, f"{tag} has no {name}")
    return value


def identifier(name: str, text: str) -> str:
    """Read an id: opaque, so only its length is judged."""
    if not 1 <= len(text) <= MAX_ID:
        raise _unusable(RejectionReason.INVALID_ID, name, text, f"1 to {MAX_ID} characters")
    return text


def title(name: str, text: str) -> str:
    """Read a title, which says something."""
    if len(text) > MAX_TEXT or not text.strip():
        raise _unusable(RejectionReason.INVALID_VALUE, name, text, f"1 to {MAX_TEXT:,} characters, not only blanks")
    return text


def label(name: str, text: str) -> str:
    """Read a name, which may be empty."""
    if len(text) > MAX_TEXT:
        raise _unusable(RejectionReason.INVALID_VALUE, name, text, f"at most {MAX_TEXT:,} characters")
    return text


def wall_clock(name: str, text: str) -> datetime:
    """Read a naive local time; more than microseconds are cut off, and 24:00:00 is the next midnight."""
    try:
        if _WALL_CLOCK.fullmatch(text):
            return datetime.fromisoformat(text)
        if found := _MIDNIGHT.fullmatch(text):
            return datetime.fromisoformat(found[1]) + timedelta(days=1)
    except (ValueError, OverflowError):
        pass  # the form is right, but the calendar has no such day
    raise _unusable(RejectionReason.INVALID_DATE, name, text, "an existing local time as YYYY-MM-DDTHH:MM:SS")


def sell_mode(name: str, text: str) -> SellMode:
    """Read how something is sold."""
    try:
        return SellMode(text)
    except ValueError:
        raise _unusable(RejectionReason.INVALID_VALUE, name, text, "online or offline") from None


def boolean(name: str, text: str) -> bool:
    """Read a yes or no."""
    if text not in BOOLEANS:
        raise _unusable(RejectionReason.INVALID_VALUE, name, text, "true or false")
    return BOOLEANS[text]


def capacity(text: str) -> int:
    """Read a number of tickets."""
    if not _CAPACITY.fullmatch(text):
        raise _unusable(RejectionReason.INVALID_NUMBER, "capacity", text, "an integer of 0 or more")
    return int(text)


def price(text: str) -> Decimal:
    """Read a price. `20`, `20.0` and `20.00` give one and the same decimal, so that equal plans have equal digests."""
    if not _PRICE.fullmatch(text):
        raise _unusable(RejectionReason.INVALID_NUMBER, "price", text, "a decimal number of 0 or more, such as 20.00")
    value = Decimal(text)
    return value if text[-3:-2] == "." else _canonical(value)


def _canonical(value: Decimal) -> Decimal:
    shortest = value.normalize(_PRICE_CONTEXT)
    return max(shortest, shortest.quantize(_CENTS, context=_PRICE_CONTEXT), key=_decimals)


def _decimals(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)


def _unusable(reason: RejectionReason, name: str, text: str, expected: str) -> UnusableError:
    shown = text if len(text) <= 80 else f"{text[:80]}... ({len(text):,} characters)"  # noqa: PLR2004 - one line of a terminal
    return UnusableError(reason, f"{name} is {shown!r}, expected {expected}")
