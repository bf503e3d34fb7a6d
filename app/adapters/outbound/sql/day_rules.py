"""By whose rules the rollups count days: one zone, and one version of its rules, for all processes (ADR 0053).

The row `stats_settings` has both, so that workers with different tzdata count alike. It also has the types whose
instants are kept for funnels (ADR 0102).
"""

from collections.abc import Collection, Mapping
from datetime import date, tzinfo
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select, update

from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.frozen_days import read_cut, thawed
from app.adapters.outbound.sql.schema import daily_totals, stats_settings
from app.application.ports.system import HistoryUnavailableError
from app.domain.funnels import DEFAULT_TYPES
from app.domain.rollups import Cut, Day, LocalClock
from app.domain.stats import date_of
from app.domain.zone_rules import ZoneRules, first_day_that_differs

REBUILD = "run `marquee stats rebuild`"


class DayRules:
    """The zone of this process, with the rules that it has of it; without rules none are noted, and nobody compares."""

    def __init__(self, zone: tzinfo, rules: ZoneRules | None, funnel_types: Collection[str] = DEFAULT_TYPES) -> None:
        self._zone = zone
        self._funnel_types = frozenset(funnel_types)
        self._rules = rules
        self._due: dict[str, str] = {}
        """What is to be said of days that were counted by an older version: they stay counted so until a rebuild."""

    def settle(self, connection: Connection) -> None:
        """Note our rules where they are newer and no day that was counted differs. Nobody may count meanwhile."""
        kept = self._kept(connection)
        mine = self._rules
        if mine is None or not self._is_ours(connection):
            return
        if kept is None or (mine.is_newer_than(kept) and _first_that_differs(connection, kept, mine) is None):
            connection.execute(update(stats_settings).values(self._values(mine)))

    def zone(self, connection: Connection) -> tzinfo:
        """Say by which zone to count in this transaction; where nothing was counted, ours is noted.

        Raises:
            HistoryUnavailableError: the rollups count the days of another zone.
        """
        row = connection.execute(select(stats_settings.c.timezone, stats_settings.c.tzdata)).first()
        if row is None:
            self.note(connection, self._rules)
            row = connection.execute(select(stats_settings.c.timezone, stats_settings.c.tzdata)).one()
        if row.timezone != str(self._zone):
            raise HistoryUnavailableError(self._other_zone(row.timezone))
        if self._rules is None or row.tzdata in (None, self._rules.version):
            return self._zone
        kept = self._kept(connection)
        return kept.zone if kept else self._zone

    def clock(self, connection: Connection) -> LocalClock:
        """Give the clock to count by in this transaction; raises as `zone` does."""
        return clock_of(self.zone(connection), read_cut(connection))

    def newest(self, connection: Connection) -> ZoneRules | None:
        """Choose the rules to make the rollups anew by: the newer of ours and those that are noted for our zone."""
        kept = self._kept(connection) if self._is_ours(connection) else None
        return kept if kept and self._rules and kept.is_newer_than(self._rules) else self._rules

    def note(self, connection: Connection, rules: ZoneRules | None) -> None:
        """Note our zone, some rules and our types of funnels, unless something is noted already."""
        values = {**self._values(rules), "funnel_types": ",".join(sorted(self._funnel_types))}
        connection.execute(inserting(connection, stats_settings).values(values).on_conflict_do_nothing())

    def trouble(self, connection: Connection) -> str | None:
        """Say what is to be known of the days that were counted; None when all is well."""
        zone = connection.execute(select(stats_settings.c.timezone)).scalar()
        if zone is not None and zone != str(self._zone):
            return self._other_zone(zone)
        if zone is not None and (kept_types := funnel_types_kept(connection)).keys() != self._funnel_types:
            return self._other_types(kept_types)
        mine = self._rules
        if zone is None or mine is None:
            return None
        kept = self._kept(connection)
        if kept is None:
            return self._unknown(connection)
        if kept.is_newer_than(mine):
            return f"days are counted by the rules of tzdata {kept.version}, newer than this process's: update it"
        if kept.version not in self._due and (day := _first_that_differs(connection, kept, mine)):
            self._due[kept.version] = (
                f"from {day} on days were counted by the rules of tzdata {kept.version}, {mine.version} has others: "
                f"{REBUILD}"
            )
        return self._due.get(kept.version)

    def _unknown(self, connection: Connection) -> str | None:
        if str(self._zone) == "UTC" or connection.execute(select(daily_totals.c.day).limit(1)).first() is None:
            return None
        return "nobody noted by which rules days were counted so far; `marquee stats verify` tells whether they agree"

    def _other_zone(self, found: str) -> str:
        return f"the stats count days in {found}, stats.timezone says {self._zone}: set it back, or {REBUILD}"

    def _other_types(self, kept: Collection[str]) -> str:
        return (
            f"instants are kept for funnels of {', '.join(sorted(kept)) or 'no type'}, stats.funnel_types says "
            f"{', '.join(sorted(self._funnel_types)) or 'none'}: {REBUILD}; funnels of other types are slow until then"
        )

    def _is_ours(self, connection: Connection) -> bool:
        return connection.execute(select(stats_settings.c.timezone)).scalar() == str(self._zone)

    def _kept(self, connection: Connection) -> ZoneRules | None:
        row = connection.execute(select(stats_settings)).first()
        return ZoneRules(row.timezone, row.tzdata, row.rules) if row and row.tzdata and row.rules else None

    def _values(self, rules: ZoneRules | None) -> dict[str, Any]:
        noted = {"tzdata": rules.version, "rules": rules.compiled} if rules else {"tzdata": None, "rules": None}
        return {"timezone": str(self._zone), **noted}


def funnel_types_kept(connection: Connection) -> Mapping[str, Day]:
    """Say of which types all instants are kept, and from which day on: 0, unless earlier activities had left by then.

    They are those that were configured when the rollups were begun or made anew.
    """
    noted = connection.execute(select(stats_settings.c.funnel_types)).scalar() or ""
    found = (one.partition("@") for one in noted.split(",") if one)
    return {type_: int(day or 0) for type_, _, day in found}


def note_funnel_types(connection: Connection, types: Mapping[str, Day]) -> None:
    """Note them with the days from which on their instants are kept."""
    noted = ",".join(f"{type_}@{day}" if day else type_ for type_, day in sorted(types.items()))
    connection.execute(update(stats_settings).values(funnel_types=noted))


@lru_cache(maxsize=4)
def clock_of(zone: tzinfo, cut: Cut | None) -> LocalClock:
    """Make the clock of a zone, once: it remembers what it has told."""
    return LocalClock(zone, cut)


def _first_that_differs(connection: Connection, kept: ZoneRules, mine: ZoneRules) -> date | None:
    """Look at the days that were counted, when the rules are others at all; those that are frozen stay as they are."""
    if kept.compiled == mine.compiled:
        return None
    counted = select(daily_totals.c.day).where(thawed(daily_totals, read_cut(connection))).distinct()
    days = connection.execute(counted.order_by(daily_totals.c.day)).scalars()
    return first_day_that_differs(kept, mine, map(date_of, days))
