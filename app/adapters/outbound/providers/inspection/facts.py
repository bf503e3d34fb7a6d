"""What a column is, by its name and its values together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from app.adapters.outbound.providers.inspection import value_forms as looks
from app.adapters.outbound.providers.inspection.columns import Column
from app.adapters.outbound.providers.inspection.date_forms import DateForm, Reads, date_form, packed_time_of_day
from app.adapters.outbound.providers.inspection.nodes import Kind
from app.adapters.outbound.providers.inspection.value_forms import share_of
from app.adapters.outbound.providers.inspection.words import (
    OF_OTHERS,
    OTHER_TIMES,
    OTHER_UNITS,
    SALE,
    likeness,
    says_any,
)

MOST_LOOKED_AT = 100
ENOUGH = 0.8
"""The share of the values that must look like what they are taken for."""
_NAMED = 0.7


@dataclass(frozen=True)
class Facts:
    """A column with what can be told of it; `timezone` says whose customs count where a date is in doubt."""

    column: Column
    timezone: str | None = None
    around: tuple[str, ...] = ()
    """The names from the root to the node in which its place begins."""

    @cached_property
    def form(self) -> DateForm | None:
        """How its dates are written; None when it has none."""
        found = date_form(self.column.present, self.column.kind, self.timezone)
        return found or (packed_time_of_day(self.looked_at) if self.called("time") >= _NAMED else None)

    @cached_property
    def looked_at(self) -> list[str]:
        """So many of its values as are enough to judge by."""
        return self.column.present[:MOST_LOOKED_AT]

    @cached_property
    def length_format(self) -> str:
        """How lengths of time are written, as a mapping says it; empty when these are none."""
        if self.mostly(looks.is_duration):
            return "duration"
        if says_any(self.column.leaf, OTHER_UNITS):
            return ""
        return "minutes" if self.mostly(looks.is_minutes) else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Where it stands, from the outside to the inside."""
        return self.column.place.names

    @property
    def context(self) -> tuple[str, ...]:
        """The names around its last one that say of what it tells."""
        above = self.around[-1:] if self.column.place.up else ()
        return (*above, *self.names[:-1])

    @property
    def is_date(self) -> bool:
        """Whether it tells a day."""
        return self.form is not None and self.form.reads is not Reads.TIME_OF_DAY

    @property
    def is_listed(self) -> bool:
        """Whether one record has several of it."""
        return self.column.most > 1

    @cached_property
    def is_of_others(self) -> bool:
        """Whether it tells of somebody or something that is not the event itself."""
        return any(says_any(name, OF_OTHERS) for name in (*self.context, *self.names[-1:]))

    @cached_property
    def is_of_sale(self) -> bool:
        """Whether it tells of the sale."""
        return any(says_any(name, SALE) for name in (*self.around[-1:], *self.names))

    @cached_property
    def is_other_time(self) -> bool:
        """Whether it tells when something else than the event begins or ends."""
        return any(says_any(name, OTHER_TIMES) for name in (*self.around[-1:], *self.names))

    def share(self, fits: Callable[[str], bool]) -> float:
        """How many of its values fit, from 0 to 1."""
        return share_of(self.looked_at, fits)

    def mostly(self, fits: Callable[[str], bool]) -> bool:
        """Whether nearly all of its values fit."""
        return self.share(fits) >= ENOUGH

    def called(self, role: str) -> float:
        """How well its last name says the role, from 0 to 1."""
        return likeness(self.column.leaf, role)

    def within(self, role: str) -> float:
        """How well the names around its last one say the role, from 0 to 1."""
        return max((likeness(name, role) for name in self.context), default=0.0)

    @cached_property
    def distance(self) -> float:
        """What it loses for standing far from its record."""
        return 0.03 * max(0, len(self.names) - 1) + 0.12 * self.column.place.up

    @cached_property
    def is_text(self) -> bool:
        """Whether it is made of words."""
        return self.column.kind is Kind.TEXT and self.form is None and self.share(_has_letters) >= ENOUGH


def _has_letters(value: str) -> bool:
    return any(letter.isalpha() for letter in value)
