"""Dimensions: activities counted by their source, or by one of their properties. Pure.

Nobody knows how many values there will be, so each dimension admits so many; what finds no room counts together.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.domain.rollups import DatedActivities, Day, Rollup, Sums, added_up, sums_by
from app.domain.stats import date_of
from app.domain.user_days import ALL

SOURCE = "source"
PROPERTY = "properties."
"""How the name of a dimension begins that is a property; the property's own name follows."""
NONE, OTHER = "-", "*"
"""How it is written that there is no value, and one that found no room."""
_VALUE = "="
"""How a value begins when it is written."""
LONGEST_VALUE = 200
"""Characters; longer ones count among the others."""
_MOST_SEEN = 20
"""So many times the values that find room are remembered while the most frequent are looked for."""

Code = str
"""A value as it is written: NONE, OTHER, or _VALUE and the text."""
DimensionKey = tuple[str, str, Day, Code]
"""Dimension, type (ALL too), day, value."""


class DimensionValue(NamedTuple):
    """What activities have in common."""

    text: str | None
    """None: they have no value there, or are the others."""
    is_other: bool


def value_of(code: Code) -> DimensionValue:
    """Read a code."""
    return DimensionValue(code[len(_VALUE) :] if code.startswith(_VALUE) else None, code == OTHER)


def code_of(value: object) -> Code:
    """Write a value: a text as it is, numbers by their digits, true and false; anything else is none."""
    if isinstance(value, bool):
        return _VALUE + ("true" if value else "false")
    if not isinstance(value, str):
        return NONE
    return OTHER if len(value) > LONGEST_VALUE or not _can_be_kept(value) else _VALUE + value


def is_bounded(code: Code) -> bool:
    """Tell whether it needs room."""
    return code.startswith(_VALUE)


@dataclass(frozen=True, slots=True)
class DimensionTotals(Rollup):
    """Count by dimension, type, day and value; also all types together."""

    dimensions: Sequence[str]
    """`source`, or `properties.` and the name of one."""
    most: int = 1_000
    """Values of each that are admitted."""
    admitted: Mapping[str, Collection[Code]] | None = None
    """Where given, other values are the others'."""
    name: str = "dimension_totals"

    @property
    def counts_by(self) -> str:
        """Name the dimensions."""
        return ",".join(self.dimensions)

    def sums(self, dated: DatedActivities) -> Sums:
        """Count them once for each dimension."""
        found: Sums = {}
        for dimension in self.dimensions:
            codes = codes_by(dimension, dated.activities.sources, dated.activities.properties)
            keys = list(zip(dated.activities.types, dated.days, codes, strict=True))
            for (type_, day, code), total in sums_by(keys, dated.activities.values).items():
                found[dimension, type_, day, code] = total
        found = added_up((found, _of_all_types(found)))
        return found if self.admitted is None else placed(found, self.admitted)

    def told(self, key: Any) -> str:
        """Name all of it."""
        dimension, type_, day, code = key
        value = value_of(code)
        name = "others" if value.is_other else repr(value.text)
        return f"count of {type_ or 'all types'} by {dimension} {name} on {date_of(day)}"


def codes_by(dimension: str, sources: Sequence[str | None], properties: Sequence[str | None]) -> Sequence[Code]:
    """Write the values of some activities."""
    if dimension == SOURCE:
        known = {source: code_of(source) for source in set(sources)}
        return [known[source] for source in sources]
    name = dimension.removeprefix(PROPERTY)
    read = {text: _property(text, name) for text in set(properties)}
    return [read[text] for text in properties]


def placed(sums: Sums, admitted: Mapping[str, Collection[Code]]) -> Sums:
    """Count what found no room among the others."""
    if all(not is_bounded(key[3]) or key[3] in admitted.get(key[0], ()) for key in sums):
        return sums
    return added_up({_placed(key, admitted): total} for key, total in sums.items())


@dataclass(slots=True)
class FrequentValues:
    """Finds the most frequent values: exactly where there are not many times more than find room, else nearly."""

    most: int
    _seen: dict[Code, int] = field(default_factory=dict)

    def count(self, codes: Iterable[Code]) -> None:
        """Count some; rare ones are forgotten when there are too many."""
        for code in codes:
            if is_bounded(code):
                self._seen[code] = self._seen.get(code, 0) + 1
        if len(self._seen) > 2 * _MOST_SEEN * self.most:
            self._seen = dict(self._ranked()[: _MOST_SEEN * self.most])

    def found(self) -> tuple[Sequence[Code], bool]:
        """List those that find room, and tell whether any finds none."""
        ranked = self._ranked()
        return [code for code, _ in ranked[: self.most]], len(ranked) > self.most

    def _ranked(self) -> list[tuple[Code, int]]:
        return sorted(self._seen.items(), key=lambda item: (-item[1], item[0]))


def _of_all_types(found: Sums) -> Sums:
    return added_up({(dimension, ALL, day, code): total} for (dimension, _, day, code), total in found.items())


def _placed(key: DimensionKey, admitted: Mapping[str, Collection[Code]]) -> DimensionKey:
    dimension, type_, day, code = key
    is_in = not is_bounded(code) or code in admitted.get(dimension, ())
    return key if is_in else (dimension, type_, day, OTHER)


def _property(text: str | None, name: str) -> Code:
    if text is None or (f'"{name}"' not in text and "\\" not in text):  # a name may be written by escapes
        return NONE
    read = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    return code_of(read.get(name))


def _can_be_kept(value: str) -> bool:
    """Tell whether every database has a form for it."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
