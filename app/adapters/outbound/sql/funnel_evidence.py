"""FunnelInstants in SQL: kept instants as they lie there; those of other types from the activities."""

from array import array
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import timedelta, tzinfo

from sqlalchemy import Connection, func, literal, select

from app.adapters.outbound.sql.canonical_rows import batches
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.day_rules import DayRules, funnel_types_kept
from app.adapters.outbound.sql.frozen_days import read_cut
from app.adapters.outbound.sql.funnel_instants import read_parts
from app.adapters.outbound.sql.places import DAY
from app.adapters.outbound.sql.raw_fold import ROWS, stream
from app.adapters.outbound.sql.schema import activities, visitors
from app.adapters.outbound.sql.slices import LATEST, PostgresSlices, Slices, SqliteSlices
from app.application.ports.funnels import ActivitiesGoneError, FunnelInstants, WantedInstants
from app.domain.funnels import FunnelEvidence, Instants, Parts, VisitorNumber, numbers_of
from app.domain.identities import ANONYMOUS
from app.domain.rollups import Day
from app.domain.stats import date_of, day_number
from app.domain.zone_rules import ZoneRules

_DAY = timedelta(days=1)


class SqlFunnelInstants(FunnelInstants):
    """Reads what SqlActivityStore keeps; days are those of `zone`."""

    def __init__(self, database: Database, zone: tzinfo, rules: ZoneRules | None = None) -> None:
        self._database = database
        self._day_rules = DayRules(zone, rules)
        self._slices: Slices = SqliteSlices() if database.is_sqlite else PostgresSlices()

    async def kept_types(self) -> Collection[str]:
        """Read them."""
        return await self._database.read(funnel_types_kept)

    async def evidence(self, wanted: WantedInstants, go_on: Callable[[], None]) -> FunnelEvidence:
        """Read all of it at one instant."""
        return await self._database.read(lambda connection: self._evidence(connection, wanted, go_on))

    def _evidence(self, connection: Connection, wanted: WantedInstants, go_on: Callable[[], None]) -> FunnelEvidence:
        first, last = day_number(wanted.first), day_number(wanted.last)
        behind = last + -(-wanted.reach // _DAY) + 1
        _check_there(connection, wanted, first)
        raw_first, raw_later = self._raw(connection, wanted, behind, go_on) if wanted.raw else ([], {})
        later = {
            type_: raw_later[type_] if type_ in wanted.raw else read_parts(connection, type_, first, behind)
            for type_ in wanted.later_types
        }
        if wanted.first_type not in wanted.raw:
            raw_first = read_parts(connection, wanted.first_type, first, last)
        return FunnelEvidence(raw_first, later, _persons(connection))

    def _raw(
        self, connection: Connection, wanted: WantedInstants, behind: Day, go_on: Callable[[], None]
    ) -> tuple[Parts, dict[str, Parts]]:
        """Read instants of types that are not kept; the days of UTC may differ from those of the zone by one."""
        clock = self._day_rules.clock(connection)
        begin, end = day_number(wanted.first), day_number(wanted.last)
        first: Parts = []
        later: dict[str, Parts] = {type_: [] for type_ in wanted.raw}
        oldest, newest = (begin - 1) * DAY, min((behind + 2) * DAY, LATEST) - 1
        for low, high in self._slices.steps(connection, newest, oldest):
            for types, instants in _rows(connection, wanted.raw, low, high, go_on):
                _, days = clock.read(instants.at)
                of_type = _places(types)
                for type_, places in of_type.items():
                    later[type_].append(instants.chosen(places).by_visitor())
                within = [place for place in of_type.get(wanted.first_type, ()) if begin <= days[place] <= end]
                if within:
                    first.append(instants.chosen(within).by_visitor())
        return first, later


def _check_there(connection: Connection, wanted: WantedInstants, first: Day) -> None:
    """See that nothing has left of what is asked for.

    Raises:
        ActivitiesGoneError: something has.
    """
    kept, cut = funnel_types_kept(connection), read_cut(connection)
    since = dict.fromkeys(wanted.raw, cut.day) if cut is not None else {}
    for type_ in {wanted.first_type, *wanted.later_types}.difference(wanted.raw):
        since[type_] = kept.get(type_, 0)
    late = sorted(type_ for type_, day in since.items() if day > first)
    if late:
        raise ActivitiesGoneError(late, date_of(max(since[type_] for type_ in late)))


def _rows(
    connection: Connection, types: Collection[str], low: int, high: int, go_on: Callable[[], None]
) -> Iterator[tuple[list[str], Instants]]:
    visitor = func.coalesce(activities.c.user_id, literal(ANONYMOUS).concat(activities.c.anonymous_id))
    wanted = select(visitor, activities.c.type, activities.c.occurred_at).where(
        activities.c.place >= low, activities.c.place < high, activities.c.type.in_(types), visitor.is_not(None)
    )
    go_on()
    with closing(stream(connection, wanted)) as rows:
        for some in batches(rows, ROWS):
            go_on()
            keys, found, instants = zip(*some, strict=True)
            yield [*found], Instants(numbers_of(keys), array("q", instants))


def _places(types: list[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, type_ in enumerate(types):
        places.setdefault(type_, []).append(place)
    return places


def _persons(connection: Connection) -> dict[VisitorNumber, VisitorNumber]:
    """Read who is one with others; an index has exactly these visitors."""
    wanted = select(visitors.c.visitor, visitors.c.person).where(visitors.c.person.is_not(None))
    found: dict[VisitorNumber, VisitorNumber] = {}
    with closing(stream(connection, wanted)) as rows:
        for some in batches(rows, ROWS):
            keys, persons = zip(*some, strict=True)
            found |= zip(numbers_of(keys), numbers_of(persons), strict=True)
    return found
