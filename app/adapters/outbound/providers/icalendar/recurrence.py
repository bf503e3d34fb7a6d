"""A recurrence rule and a start -> wall clocks, in order (RFC 5545, 3.3.10).

Not by python-dateutil, which says the same where it is right (the tests compare the two): a rule that never meets a day
cannot be ended there, BYWEEKNO without BYDAY gives seven days instead of the start's weekday, and days of January that
belong to the last week of the year before are told as week 53 of a year that has 52 (ADR 0074).
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import count, product

from app.adapters.outbound.providers.icalendar.rules import Frequency, Rule
from app.adapters.outbound.providers.icalendar.work import Work

_DAY = timedelta(days=1)
_UNIT = {
    Frequency.HOURLY: timedelta(hours=1),
    Frequency.MINUTELY: timedelta(minutes=1),
    Frequency.SECONDLY: timedelta(seconds=1),
}


def expand(rule: Rule, start: datetime, *, since: datetime, before: datetime, work: Work) -> Iterator[datetime]:
    """Give the wall clocks of a recurrence, from the first period that may hold `since` until `before`, each once.

    The start is the first of them, also when the rule does not meet it, and counts for COUNT. UNTIL is not looked at:
    it is an instant, and asks for a zone. All times are naive.

    Raises:
        UnusableEventError: it takes more than `work` has.
    """
    left = rule.count
    if start < before and (since <= start or left is not None):
        yield start
    left = left - 1 if left is not None else None
    rule = _completed(rule, start)
    candidates = _of_times(rule, start, since, before, work) if rule.frequency in _UNIT else None
    for clock in candidates or _of_days(rule, start, since, before, work):
        if clock >= before or left == 0:
            return
        if clock > start:
            yield clock
            left = left - 1 if left is not None else None


def _completed(rule: Rule, start: datetime) -> Rule:
    """Say what the rule leaves to the start of its event."""
    days_said = rule.weeks or rule.year_days or rule.month_days or rule.weekdays
    if rule.frequency is Frequency.YEARLY and not days_said:
        rule = replace(rule, months=rule.months or frozenset({start.month}), month_days=frozenset({start.day}))
    elif rule.frequency is Frequency.MONTHLY and not days_said:
        rule = replace(rule, month_days=frozenset({start.day}))
    elif not rule.weekdays and (
        rule.frequency is Frequency.WEEKLY or (rule.weeks and not rule.year_days and not rule.month_days)
    ):
        rule = replace(rule, weekdays=frozenset({(0, start.weekday())}))
    hours = rule.hours or ((start.hour,) if rule.frequency < Frequency.HOURLY else ())
    minutes = rule.minutes or ((start.minute,) if rule.frequency < Frequency.MINUTELY else ())
    seconds = rule.seconds or ((start.second,) if rule.frequency < Frequency.SECONDLY else ())
    return replace(rule, hours=hours, minutes=minutes, seconds=seconds)


def _of_days(rule: Rule, start: datetime, since: datetime, before: datetime, work: Work) -> Iterator[datetime]:
    times = [time(*parts) for parts in product(rule.hours, rule.minutes, rule.seconds)]
    for first, end in _periods(rule, start.date(), since.date()):
        if datetime.combine(first, time()) >= before:
            return
        looked_at = list(_days(rule, first, end))
        work.take(len(looked_at))
        days = [day for day in looked_at if _meets(rule, day)]
        work.take(len(days) * len(times))
        yield from _chosen([datetime.combine(day, at) for day in days for at in times], rule)


def _chosen(clocks: list[datetime], rule: Rule) -> list[datetime]:
    if not rule.positions:
        return clocks
    indexes = {position - 1 if position > 0 else len(clocks) + position for position in rule.positions}
    return [clock for index, clock in enumerate(clocks) if index in indexes]


def _periods(rule: Rule, start: date, since: date) -> Iterator[tuple[date, date]]:
    """Give each period of the rule as its first day and the day behind its last."""
    unit = {Frequency.YEARLY: 12, Frequency.MONTHLY: 1}.get(rule.frequency)
    if unit:
        yield from _periods_of_months(rule, start, since, unit)
        return
    days = rule.interval * (7 if rule.frequency is Frequency.WEEKLY else 1)
    first = start
    if rule.frequency is Frequency.WEEKLY:
        first -= timedelta(days=min((start.weekday() - rule.week_start) % 7, (start - date.min).days))
    skipped = 0 if rule.count else max(0, (since - first).days // days - 1)
    length = timedelta(days=7) if rule.frequency is Frequency.WEEKLY else _DAY
    for number in count(skipped):
        if number * days > (date.max - first).days - 7:
            return
        begin = first + timedelta(days=number * days)
        yield begin, begin + length


def _periods_of_months(rule: Rule, start: date, since: date, unit: int) -> Iterator[tuple[date, date]]:
    origin = start.year * 12 + (start.month - 1 if unit == 1 else 0)
    step = rule.interval * unit
    skipped = 0 if rule.count else max(0, (since.year * 12 + since.month - 1 - origin) // step - 1)
    for number in count(skipped):
        months = origin + number * step
        if (months + unit) // 12 >= MAXYEAR:
            return
        yield _first_of(months), _first_of(months + unit)


def _first_of(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _days(rule: Rule, first: date, end: date) -> Iterator[date]:
    """Give the days of a period; of a year only those of its months, where the rule names some."""
    spans = [(first, end)]
    if rule.frequency is Frequency.YEARLY and rule.months:
        months = [first.year * 12 + month - 1 for month in sorted(rule.months)]
        spans = [(_first_of(month), _first_of(month + 1)) for month in months]
    for begin, behind in spans:
        yield from (date.fromordinal(number) for number in range(begin.toordinal(), behind.toordinal()))


def _meets(rule: Rule, day: date) -> bool:
    return (
        (not rule.months or day.month in rule.months)
        and (not rule.month_days or _one_of(rule.month_days, day.day, _days_of_month(day)))
        and (not rule.weekdays or _is_weekday(rule, day))
        and (not rule.year_days or _one_of(rule.year_days, _day_of_year(day), _day_of_year(date(day.year, 12, 31))))
        and (not rule.weeks or _one_of(rule.weeks, *_week(day, rule.week_start)))
    )


def _one_of(numbers: frozenset[int], number: int, total: int) -> bool:
    """Tell whether a number of so many in all is named, from the front or from behind."""
    return number in numbers or number - total - 1 in numbers


def _is_weekday(rule: Rule, day: date) -> bool:
    weekday = day.weekday()
    if (0, weekday) in rule.weekdays:
        return True
    if rule.frequency is Frequency.MONTHLY or rule.months:
        number, total = day.day, _days_of_month(day)
    else:
        number, total = _day_of_year(day), _day_of_year(date(day.year, 12, 31))
    return ((number + 6) // 7, weekday) in rule.weekdays or (-((total - number) // 7 + 1), weekday) in rule.weekdays


def _day_of_year(day: date) -> int:
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1


def _days_of_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _week(day: date, week_start: int) -> tuple[int, int]:
    """Find the number of a day's week, and how many weeks that year has: a week is of the year of its fourth day."""
    fourth = _fourth_day(day, week_start)
    last = _fourth_day(date(fourth.year, 12, 28), week_start)
    return (_day_of_year(fourth) + 6) // 7, (_day_of_year(last) + 6) // 7


def _fourth_day(day: date, week_start: int) -> date:
    return day + timedelta(days=3 - (day.weekday() - week_start) % 7)


def _of_times(rule: Rule, start: datetime, since: datetime, before: datetime, work: Work) -> Iterator[datetime]:
    """Give the wall clocks of hourly, minutely and secondly rules; what cannot meet is left out a day at a time."""
    step = _UNIT[rule.frequency] * rule.interval
    origin = _begin_of_period(start, rule.frequency)
    number = 0 if rule.count else max(0, (since - origin) // step)
    while True:
        work.take(1)
        if number * step >= before - origin:
            return
        clock = origin + number * step
        further = _next_to_look_at(rule, clock)
        if further is None:
            finer = list(_finer(rule, clock))
            work.take(len(finer))
            yield from _chosen([clock.replace(minute=minute, second=second) for minute, second in finer], rule)
            number += 1
        else:
            number = max(number + 1, -((origin - further) // step))


def _begin_of_period(start: datetime, frequency: Frequency) -> datetime:
    start = start.replace(second=0) if frequency < Frequency.SECONDLY else start
    return start.replace(minute=0) if frequency < Frequency.MINUTELY else start


def _next_to_look_at(rule: Rule, clock: datetime) -> datetime | None:
    """Tell until when nothing can meet; None when this period does."""
    if not _meets(rule, clock.date()):
        return datetime.combine(clock.date() + _DAY, time())
    if rule.hours and clock.hour not in rule.hours:
        return clock.replace(minute=0, second=0) + timedelta(hours=1)
    if rule.frequency > Frequency.HOURLY and rule.minutes and clock.minute not in rule.minutes:
        return clock.replace(second=0) + timedelta(minutes=1)
    if rule.frequency is Frequency.SECONDLY and rule.seconds and clock.second not in rule.seconds:
        return clock + timedelta(seconds=1)
    return None


def _finer(rule: Rule, clock: datetime) -> Iterator[tuple[int, int]]:
    minutes = rule.minutes if rule.frequency is Frequency.HOURLY else (clock.minute,)
    seconds = rule.seconds if rule.frequency < Frequency.SECONDLY else (clock.second,)
    return product(minutes, seconds)
