"""A recurrence rule as iCalendar writes it (RFC 5545, 3.3.10)."""

import re
from dataclasses import dataclass
from enum import IntEnum

from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.times import WrittenTime, read_time
from app.domain.feeds import RejectionReason

MONDAY = 0
_WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_MAX_COUNT = 999_999_999


class Frequency(IntEnum):
    """How long a period of a rule is: the longer, the less."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a rule says; what it does not say is empty, and follows from the start of its event."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: WrittenTime | None = None
    months: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    """Which one (0: each), and the weekday (0: Monday)."""
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: frozenset[int] = frozenset()
    week_start: int = MONDAY


_BOUNDS = {
    "BYSECOND": (0, 60),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYMONTH": (1, 12),
    "BYSETPOS": (-366, 366),
}
_NEVER_ZERO = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"})
_PARTS = frozenset({*_BOUNDS, "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"})
_ONLY_IN = {
    "BYWEEKNO": {Frequency.YEARLY},
    "BYYEARDAY": set(Frequency) - {Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY},
    "BYMONTHDAY": set(Frequency) - {Frequency.WEEKLY},
}


def read_rule(text: str) -> Rule:
    """Read a rule strictly: a part that is not understood would give other days.

    Raises:
        UnusableEventError: it is no rule of RFC 5545.
    """
    parts = _parts(text.upper())
    frequency = _frequency(parts)
    for name, allowed in _ONLY_IN.items():
        if name in parts and frequency not in allowed:
            raise _unusable(f"has {name} with FREQ={frequency.name}, which RFC 5545 forbids")
    numbers = {name: _numbers(name, parts[name]) for name in _BOUNDS if name in parts}
    return Rule(
        frequency=frequency,
        interval=_positive("INTERVAL", parts.get("INTERVAL", "1")),
        count=_positive("COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        until=read_time("UNTIL", parts["UNTIL"]) if "UNTIL" in parts else None,
        months=frozenset(numbers.get("BYMONTH", ())),
        weeks=frozenset(numbers.get("BYWEEKNO", ())),
        year_days=frozenset(numbers.get("BYYEARDAY", ())),
        month_days=frozenset(numbers.get("BYMONTHDAY", ())),
        weekdays=_weekdays(parts, frequency),
        hours=tuple(sorted(numbers.get("BYHOUR", ()))),
        minutes=tuple(sorted(numbers.get("BYMINUTE", ()))),
        seconds=tuple(sorted({min(second, 59) for second in numbers.get("BYSECOND", ())})),
        positions=frozenset(numbers.get("BYSETPOS", ())),
        week_start=_week_start(parts.get("WKST", "MO")),
    )


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or (name not in _PARTS and not name.startswith("X-")):
            raise _unusable(f"has {part[:40]!r}, expected one of {', '.join(sorted(_PARTS))} with its value")
        if name in parts:
            raise _unusable(f"has {name} twice")
        parts[name] = value
    return parts


def _frequency(parts: dict[str, str]) -> Frequency:
    said = parts.get("FREQ", "")
    if said not in Frequency.__members__:
        raise _unusable(f"has FREQ={said[:20]}, expected one of {', '.join(Frequency.__members__)}")
    return Frequency[said]


def _numbers(name: str, text: str) -> set[int]:
    lowest, highest = _BOUNDS[name]
    said = text.split(",")
    if all(_NUMBER.fullmatch(number) for number in said):
        numbers = {int(number) for number in said}
        if lowest <= min(numbers) and max(numbers) <= highest and not (name in _NEVER_ZERO and 0 in numbers):
            return numbers
    zero = ", not 0" if name in _NEVER_ZERO else ""
    raise _unusable(f"has {name}={text[:40]}, expected numbers from {lowest} to {highest}{zero}")


def _positive(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= _MAX_COUNT:
        raise _unusable(f"has {name}={text[:40]}, expected a number of 1 or more")
    return int(text)


def _weekdays(parts: dict[str, str], frequency: Frequency) -> frozenset[tuple[int, int]]:
    if "BYDAY" not in parts:
        return frozenset()
    found = [_WEEKDAY.fullmatch(day) for day in parts["BYDAY"].split(",")]
    weekdays = {(int(day[1] or 0), _WEEKDAYS[day[2]]) for day in found if day}
    if not all(found) or any(day and day[1] and not 1 <= abs(int(day[1])) <= 53 for day in found):  # noqa: PLR2004 - weeks
        raise _unusable(f"has BYDAY={parts['BYDAY'][:40]}, expected weekdays such as MO, 2TU or -1FR")
    if any(which for which, _ in weekdays) and (frequency > Frequency.MONTHLY or "BYWEEKNO" in parts):
        raise _unusable(
            f"has BYDAY={parts['BYDAY'][:40]}, expected numbers only in months, and in years without BYWEEKNO"
        )
    return frozenset(weekdays)


def _week_start(text: str) -> int:
    if text not in _WEEKDAYS:
        raise _unusable(f"has WKST={text[:20]}, expected one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS[text]


def _unusable(found: str) -> UnusableEventError:
    return UnusableEventError(RejectionReason.INVALID_VALUE, f"RRULE {found}")
