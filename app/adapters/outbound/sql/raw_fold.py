"""One pass over the raw activities: every figure by its definition, and not by the way that `activity_store.py` goes.

All days of one visitor are known at once, because the activities are read in the order of visitors. So each of the two
ways checks the other.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import reduce
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Executable, func, literal, select

from app.adapters.outbound.sql.canonical_rows import batches
from app.adapters.outbound.sql.frozen_days import frozen_statements, frozen_visits
from app.adapters.outbound.sql.places import DAY, first_place
from app.adapters.outbound.sql.rows import instant_of
from app.adapters.outbound.sql.schema import activities
from app.application.ports.activities import Progress
from app.domain.activities import STATEMENTS, Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import Fold
from app.domain.funnels import InstantsByDay, instants_by_day
from app.domain.identities import ANONYMOUS, Alias, Claim, Key, aliases_in, claims_in, persons_by
from app.domain.regrouping import Person
from app.domain.rollups import Cut, DatedActivities, Day, LocalClock, Rollup, added_up, sums_by
from app.domain.user_days import UserDays, days_with, joined, together
from app.domain.user_figures import UserFigures

ROWS = 10_000
"""That are read, or told of, at a time."""

_COUNTED = tuple(activities.c[name] for name in ("type", "occurred_at", "source", "value", "properties"))

TakeInstants = Callable[[InstantsByDay], None]
Keep = Callable[[Sequence[Claim], Sequence[Alias]], None]


@dataclass(slots=True)
class RawFold:
    """`fold` (its totals), `figures` and `persons` are whole once `visitors` is exhausted; the rest from the start."""

    clock: LocalClock
    progress: Progress | None
    rollups: Sequence[Rollup] = ()
    cut: Cut | None = None
    """What is frozen comes from the figures that are kept (frozen_days.py), and all else from raw activities."""
    timed: Collection[str] = ()
    """The types whose instants `take_instants` is handed while `visitors` goes on."""
    take_instants: TakeInstants = lambda _: None
    fold: Fold = field(default_factory=Fold)
    figures: UserFigures = field(default_factory=UserFigures)
    owners: dict[Key, Claim] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)
    claims: int = 0
    person_of: Mapping[Key, Key] = field(default_factory=dict)
    """Of all visitors who are linked with another; in memory, as `persons` is."""
    persons: dict[Key, Person] = field(default_factory=dict)
    read: int = 0

    def read_statements(self, connection: Connection, keep: Keep = lambda _claims, _aliases: None) -> None:
        """Find out who is one person, and hand on claims and aliases that are not frozen."""
        self._take_in(*frozen_statements(connection, self.cut))
        for some in batches(self._statements(connection), ROWS):
            claims, aliases = claims_in(some), aliases_in(some)
            keep(claims, aliases)
            self._take_in(claims, aliases)
        self.person_of = persons_by(self.owners, self.aliases)
        for name in self.person_of.values():
            self.persons[name] = Person(None, self.persons.get(name, Person(None, 0)).ids + 1)

    def _take_in(self, claims: Sequence[Claim], aliases: Sequence[Alias]) -> None:
        self.claims += len(claims)
        self.aliases += aliases
        for claim in claims:
            self.owners[claim.anonymous] = min(claim, self.owners.get(claim.anonymous, claim))

    def visitors(self, connection: Connection) -> Generator[tuple[Key, UserDays], None, None]:
        """Hand out each visitor with all days, in the order of their keys."""
        visitor = func.coalesce(activities.c.user_id, literal(ANONYMOUS).concat(activities.c.anonymous_id))
        wanted = select(visitor, *_COUNTED).where(activities.c.type.not_in(STATEMENTS)).order_by(visitor)
        if self.cut is not None:
            first = first_place(self.cut.instant // DAY)
            wanted = wanted.where(activities.c.occurred_at >= self.cut.instant, activities.c.place >= first)
        with closing(stream(connection, wanted)) as rows:
            found = merge(frozen_visits(connection, self.cut), self._raw(rows), key=itemgetter(0))
            for key, own in groupby(found, itemgetter(0)):
                visits = reduce(together, (days for _, days in own))
                self._count(key, visits)
                yield key, visits
        for person in self.persons.values():
            self.figures.move(None, person.visits)

    def _raw(self, rows: Iterator[Any]) -> Iterator[tuple[Key, UserDays]]:
        for key, own in groupby(self._dated(rows), itemgetter(0)):
            if key is not None:
                days: dict[str, set[Day]] = {}
                for _, type_, day in own:
                    days.setdefault(type_, set()).add(day)
                yield key, days_with(days)

    def _count(self, key: Key, visits: UserDays) -> None:
        name = self.person_of.get(key)
        if name is None:
            self.figures.move(None, visits)
        else:
            known, ids = self.persons[name]
            self.persons[name] = Person(joined(known, visits), ids)

    def _dated(self, rows: Iterator[Any]) -> Iterator[tuple[Key | None, str, Day]]:
        """Count rows, and tell visitor, type and day of each."""
        for some in batches(rows, ROWS):
            visitors, types, occurred_at, sources, values, properties = zip(*some, strict=True)
            hours, days = self.clock.read(occurred_at)
            nobody = (None,) * len(some)
            columns = ActivityColumns(b"", types, occurred_at, sources, visitors, values, properties, nobody, nobody)
            counted = DatedActivities(columns, hours, days)
            self.fold.totals = added_up((self.fold.totals, sums_by(list(zip(days, types, strict=True)), values)))
            for rollup in self.rollups:
                known = self.fold.sums.get(rollup.name, {})
                self.fold.sums[rollup.name] = added_up((known, rollup.sums(counted)))
            self.take_instants(instants_by_day(counted, visitors, self.timed))
            self._tell(len(some))
            yield from zip(visitors, types, days, strict=True)

    def _statements(self, connection: Connection) -> Generator[Activity, None, None]:
        with closing(stream(connection, select(activities).where(activities.c.type.in_(STATEMENTS)))) as rows:
            for row in rows:
                self._tell(1)
                at = instant_of(row.occurred_at)
                who = {"user_id": row.user_id, "anonymous_id": row.anonymous_id}
                yield Activity(row.id, row.type, at, origin=row.origin, **who)

    def _tell(self, rows: int) -> None:
        self.read += rows
        if self.progress and self.read % ROWS < rows:
            self.progress(self.read)


def stream(connection: Connection, statement: Executable) -> Generator[Any, None, None]:
    """Read a long answer bit by bit; a reader that stops early closes it, for the server holds it open."""
    with closing(connection.execute(statement, execution_options={"stream_results": True, "yield_per": ROWS})) as rows:
        yield from rows
