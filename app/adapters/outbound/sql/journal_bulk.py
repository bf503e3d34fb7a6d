"""The few statements through which every state of a plan goes, each in the form that its database is fastest with.

SQLite: prepared statements run many times, and lookups by long lists. PostgreSQL: one statement for all rows, whose
columns come as binary arrays (a row costs 4 us to write so, 13 as a statement of its own, 56 in arrays of text).
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.domain.plans import PlanId

PlanOf = tuple[str, bytes]
"""A plan, as the index of the newest states has it: its provider, its id (16 bytes, which are found faster than it)."""


@dataclass(slots=True)
class StateRow:
    """A state of a plan as its columns; what follows from the plan is missing until a withdrawal has it carried."""

    provider: str
    plan_id: bytes
    kinds: str
    run_id: str
    known_from: int
    known_until: int | None
    known: str
    searchable: bool
    starts_at: int = 0
    ends_at: int = 0
    summary: str = ""
    plan: bytes = b""


class Newest(NamedTuple):
    """The newest state of a plan, as it was before; without what only a withdrawal needs to know, if none asked."""

    entry_id: int
    provider: str
    plan_id: bytes
    known_from: int
    known: str
    starts_at: int
    ends_at: int
    summary: str = ""
    plan: bytes = b""

    @property
    def of(self) -> PlanOf:
        """Whose state it is."""
        return self.provider, self.plan_id


class JournalBulk(Protocol):
    """What the journal asks of one kind of database."""

    @abstractmethod
    def newest(self, connection: Connection, plans: Sequence[PlanOf], *, whole: bool) -> Iterator[Newest]:
        """Read the newest states of these plans, as far as they have one; `whole` ones with summary and plan."""

    @abstractmethod
    def close(self, connection: Connection, closed: Sequence[tuple[int, int]]) -> None:
        """Say of rows that they are not the newest any more: their number, and since when."""

    @abstractmethod
    def add(self, connection: Connection, rows: Sequence[StateRow]) -> None:
        """Add rows, whose numbers grow in their order."""


_COLUMNS = tuple(StateRow.__slots__)
_values = attrgetter(*_COLUMNS)
_PLANS_PER_LOOKUP = 500
_INTO = f"INSERT INTO plan_journal ({', '.join(_COLUMNS)})"


def _found(*, whole: bool) -> str:
    return ", ".join(f"j.{name}" for name in (Newest._fields if whole else Newest._fields[:-2]))


class SqliteJournalBulk(JournalBulk):
    """Statements for SQLite."""

    def newest(self, connection: Connection, plans: Sequence[PlanOf], *, whole: bool) -> Iterator[Newest]:
        """Look them up in the index of the newest states; CROSS JOIN keeps SQLite from beginning with the table."""
        for begin in range(0, len(plans), _PLANS_PER_LOOKUP):
            some = plans[begin : begin + _PLANS_PER_LOOKUP]
            wanted = (
                f"WITH w(provider, plan_id) AS (VALUES {', '.join(['(?, ?)'] * len(some))}) "  # noqa: S608 - our names
                f"SELECT {_found(whole=whole)} FROM w CROSS JOIN plan_journal AS j "
                "ON j.provider = w.provider AND j.plan_id = w.plan_id WHERE j.known_until IS NULL"
            )
            given = tuple(part for plan in some for part in plan)
            yield from (Newest(*row) for row in connection.exec_driver_sql(wanted, given))

    def close(self, connection: Connection, closed: Sequence[tuple[int, int]]) -> None:
        """Update one by one."""
        update = "UPDATE plan_journal SET known_until = ? WHERE entry_id = ?"
        connection.exec_driver_sql(update, [(until, entry_id) for entry_id, until in closed])

    def add(self, connection: Connection, rows: Sequence[StateRow]) -> None:
        """Insert one by one."""
        connection.exec_driver_sql(f"{_INTO} VALUES ({', '.join('?' * len(_COLUMNS))})", [*map(_values, rows)])


class PostgresJournalBulk(JournalBulk):
    """Statements for PostgreSQL."""

    def newest(self, connection: Connection, plans: Sequence[PlanOf], *, whole: bool) -> Iterator[Newest]:
        """Look them up in the index of the newest states; LATERAL keeps the planner from reading the whole table."""
        wanted = (
            f"SELECT {_found(whole=whole)} FROM unnest(%b::text[], %b::uuid[]) AS w(provider, plan_id) "  # noqa: S608
            "CROSS JOIN LATERAL (SELECT * FROM plan_journal AS n WHERE n.provider = w.provider "
            "AND n.plan_id = w.plan_id AND n.known_until IS NULL LIMIT 1) AS j"
        )
        given = ([provider for provider, _ in plans], [PlanId(bytes=plan_id) for _, plan_id in plans])
        for entry_id, provider, plan_id, *rest in connection.exec_driver_sql(wanted, given):
            yield Newest(entry_id, provider, plan_id.bytes, *rest)

    def close(self, connection: Connection, closed: Sequence[tuple[int, int]]) -> None:
        """Update all at once."""
        connection.exec_driver_sql(
            "UPDATE plan_journal AS j SET known_until = c.known_until "
            "FROM unnest(%b::bigint[], %b::bigint[]) AS c(entry_id, known_until) WHERE j.entry_id = c.entry_id",
            ([entry_id for entry_id, _ in closed], [until for _, until in closed]),
        )

    def add(self, connection: Connection, rows: Sequence[StateRow]) -> None:
        """Insert all at once. Rows become visible in the order of their numbers: the table is also a log."""
        hold(connection, AdvisoryLock.PLAN_LOG)
        columns = dict(zip(_COLUMNS, map(list, zip(*map(_values, rows), strict=True)), strict=True))
        columns["plan_id"] = [PlanId(bytes=row.plan_id) for row in rows]
        arrays = ", ".join(f"%b::{_POSTGRES_TYPES[name]}[]" for name in _COLUMNS)
        connection.exec_driver_sql(f"{_INTO} SELECT * FROM unnest({arrays})", tuple(columns.values()))  # noqa: S608 - our own names


_POSTGRES_TYPES = {
    **dict.fromkeys(("provider", "kinds", "run_id", "known", "summary"), "text"),
    **dict.fromkeys(("known_from", "known_until", "starts_at", "ends_at"), "bigint"),
    "plan_id": "uuid",
    "searchable": "boolean",
    "plan": "bytea",
}


def journal_bulk(*, is_sqlite: bool) -> JournalBulk:
    """Choose the statements for a database."""
    return SqliteJournalBulk() if is_sqlite else PostgresJournalBulk()
