"""Which columns tell when a plan begins and ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.adapters.outbound.providers.inspection.date_forms import Reads, moment
from app.adapters.outbound.providers.inspection.facts import ENOUGH, Facts
from app.adapters.outbound.providers.inspection.words import likeness

_LEAST = 0.45
_OF_A_DAY = 0.75
"""How well a name that says a day, and nothing else, says a start."""
_DATED = 0.8
"""How well a name does that says a start or an end, and a day: `event_start_date`."""
_BY_VALUES = 0.5
"""How sure a column is that is chosen because no other has a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeChoice:
    """Where a time stands: a column, those that are tried where it says nothing, and the time of day beside a date."""

    columns: tuple[Facts, ...]
    time_of_day: Facts | None = None
    certainty: float = 1.0
    """From 0 to 1."""
    length: Facts | None = None
    """Of an end: how long after the start it is."""
    length_format: str = ""


def start_of(facts: Sequence[Facts]) -> TimeChoice | None:
    """Choose where plans begin; None when no column tells it."""
    return _chosen(facts, "starts", "ends")


def end_of(facts: Sequence[Facts], start: TimeChoice) -> TimeChoice | None:
    """Choose where they end: never before they begin."""
    taken = {id(one) for one in (*start.columns, start.time_of_day)}
    left = [one for one in facts if id(one) not in taken and one.column.place.up <= start.columns[0].column.place.up]
    found = _chosen(left, "ends", "starts", least=0.5)
    if found and _ends_later(start, found):
        return found
    return _end_of_day(left) or _end_after(facts)


def sale_of(facts: Sequence[Facts], role: str, other: str) -> Facts | None:
    """Choose where the sale begins (`starts`) or ends."""
    scored = [(_name_of_time(one, role, other), one) for one in facts if one.is_date and one.is_of_sale]
    return _best(scored, 0.5)


def _chosen(facts: Sequence[Facts], role: str, other: str, least: float = _LEAST) -> TimeChoice | None:
    scored = [(_score(one, role, other), one) for one in facts if one.is_date and not one.is_listed]
    best = _best(scored, least)
    certainty = max((score for score, _ in scored), default=0.0)
    if best is None and role == "starts":
        best, certainty = _only_date(facts), _BY_VALUES
    if best is None:
        return None
    assert best.form is not None  # noqa: S101 - it is a date
    if best.form.reads is Reads.DATE:
        return TimeChoice(columns=(best,), time_of_day=_time_of_date(facts, best, role, other), certainty=certainty)
    others = _where_silent(best, [one for score, one in sorted(scored, key=_by_score) if score >= least])
    return TimeChoice(columns=(best, *others), certainty=certainty)


def _only_date(facts: Sequence[Facts]) -> Facts | None:
    """Find the one column with dates, whatever it is called; numbers alone may be ids."""
    dates = [one for one in facts if one.is_date and not one.is_listed and not one.mostly(str.isdecimal)]
    left = [one for one in dates if not one.is_of_sale and not one.is_of_others and not _tells_another_time(one)]
    return left[0] if len(left) == 1 else None


def _time_of_date(facts: Sequence[Facts], date: Facts, role: str, other: str) -> Facts | None:
    """Find the time of day of a date: by its name; that of a start also because no other is left."""
    near = [one for one in facts if _belongs_to(one, date)]
    named = _best([(_time_score(one, role, other), one) for one in near], 0.5)
    left = [one for one in near if not _tells_another_time(one)]
    return named or (left[0] if role == "starts" and len(left) == 1 else None)


def _tells_another_time(facts: Facts) -> bool:
    return facts.is_other_time or any(likeness(name, "ends") > 0 for name in facts.names[-2:])


def _belongs_to(time: Facts, date: Facts) -> bool:
    """Whether it is a time of day in the same object as a date, or in a record that stands below its day."""
    if time.form is None or time.form.reads is not Reads.TIME_OF_DAY or time.is_other_time or time.is_listed:
        return False
    if time.column.place.up == date.column.place.up:
        return time.names[:-1] == date.names[:-1]
    return time.column.place.up == 0


def _where_silent(best: Facts, others: Iterable[Facts]) -> tuple[Facts, ...]:
    """Find a column that tells the time of records of which the best one says nothing."""
    silent = [row for row, value in enumerate(best.column.values) if value is None]
    for one in others:
        if one is not best and silent and sum(one.column.values[row] is not None for row in silent) * 2 > len(silent):
            return (one,)
    return ()


def _score(facts: Facts, role: str, other: str) -> float:
    if facts.is_other_time or facts.is_of_sale or facts.form is None:
        return 0.0
    score = _name_of_time(facts, role, other)
    score += {Reads.INSTANT: 0.12, Reads.WALL_CLOCK: 0.12, Reads.DATE: 0.0}.get(facts.form.reads, 0.0)
    return score * (0.5 + 0.5 * facts.column.share) - facts.distance if score else 0.0


def _name_of_time(facts: Facts, role: str, other: str) -> float:
    """How well names say it: the last one says most, `start/dateTime` as well as `startDate`."""
    names = facts.names[-3:]
    if not names:
        return 0.6 if role == "starts" else 0.0  # a bare list of dates
    wanted, against, day = (_said(names, one) for one in (role, other, "day"))
    if day and wanted:
        wanted = max(wanted, _DATED)
    elif role == "starts" and not against:
        wanted = max(wanted, _OF_A_DAY * day)
    return wanted if wanted >= against else 0.0


def _said(names: Sequence[str], role: str) -> float:
    return max((likeness(name, role) - 0.1 * away for away, name in enumerate(reversed(names))), default=0.0)


def _time_score(facts: Facts, role: str, other: str) -> float:
    against = likeness(facts.column.leaf, other)
    wanted = max(likeness(facts.column.leaf, role), 0.9 * likeness(facts.column.leaf, "time"))
    return wanted if wanted >= against else 0.0


def _end_of_day(facts: Sequence[Facts]) -> TimeChoice | None:
    """Find a time of day alone that tells an end."""
    scored = [
        (likeness(one.column.leaf, "ends"), one)
        for one in facts
        if one.form and one.form.reads is Reads.TIME_OF_DAY and not one.is_other_time and not one.is_listed
    ]
    best = _best(scored, 0.5)
    return TimeChoice(columns=(), time_of_day=best, certainty=0.6) if best else None


def _end_after(facts: Sequence[Facts]) -> TimeChoice | None:
    """Find a column that tells how long it takes, in minutes or as ISO 8601 has it."""
    named = [(one.called("duration"), one) for one in facts if not one.is_listed and not _is_part_of_a_time(one)]
    best = _best([(score, one) for score, one in named if score and one.length_format], 0.5)
    return TimeChoice(columns=(), certainty=0.6, length=best, length_format=best.length_format) if best else None


def _is_part_of_a_time(facts: Facts) -> bool:
    """Whether it stands in something that is a time, such as the minutes of its hour."""
    return any(likeness(name, role) for name in facts.context for role in ("starts", "ends", "day", "time"))


def _ends_later(start: TimeChoice, end: TimeChoice) -> bool:
    first, last = start.columns[0], end.columns[0]
    if first.form is None or last.form is None:
        return False
    pairs = [
        (began, ended)
        for one, two in zip(first.column.values, last.column.values, strict=True)
        if one and two and (began := moment(one, first.form)) and (ended := moment(two, last.form))
    ]
    by_day = Reads.DATE in (first.form.reads, last.form.reads)
    later = sum(ended.date() >= began.date() if by_day else ended >= began for began, ended in pairs)
    return bool(pairs) and later >= ENOUGH * len(pairs)


def _best(scored: Iterable[tuple[float, Facts]], least: float) -> Facts | None:
    found = sorted(scored, key=_by_score)
    return found[0][1] if found and found[0][0] >= least else None


def _by_score(scored: tuple[float, Facts]) -> float:
    return -scored[0]
