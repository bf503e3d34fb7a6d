"""Claims, aliases and persons in SQL: what statements change, in the transaction that stores them.

Whoever only moves visits locks the rows of visitors in the order of their keys, then those of persons in theirs. Who
joins or parts visitors is alone meanwhile (AdvisoryLock.IDENTITIES), and needs no order.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from app.adapters.outbound.sql.bulk import Bulk
from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.packed_days import NO_DAY, pack_days, unpack_days
from app.adapters.outbound.sql.rows import instant_of, microseconds
from app.adapters.outbound.sql.schema import aliases, claims, persons, visitors
from app.domain.identities import ANONYMOUS, Alias, Claim, Key, owners_by
from app.domain.regrouping import Known, Person, Regrouped, Regrouping
from app.domain.user_days import UserDays, together
from app.domain.user_figures import UserFigures

_AT_ONCE = 1_000
_HOLDING = {
    "sqlite": (
        "SELECT at, activity_id, anonymous_id, user_id FROM claims WHERE activity_id IN (SELECT (SELECT c.activity_id "
        "FROM claims AS c WHERE c.anonymous_id = j.value ORDER BY c.at, c.activity_id LIMIT 1) FROM json_each(?) AS j)"
    ),
    "postgresql": (
        "SELECT c.at, c.activity_id, c.anonymous_id, c.user_id FROM json_array_elements_text(%s::json) AS j(id) "
        "CROSS JOIN LATERAL (SELECT * FROM claims WHERE anonymous_id = j.id ORDER BY at, activity_id LIMIT 1) AS c"
    ),
}


class Identities:
    """The statements of one kind of database; `bulk` has those for visitors. Retention is kept of types `retained`."""

    def __init__(self, bulk: Bulk, retained: Collection[str] = frozenset()) -> None:
        self._bulk = bulk
        self._retained = retained

    def change_something(self, connection: Connection, new: Sequence[Claim], joins: Sequence[Alias]) -> bool:
        """Tell whether statements may join or part anybody.

        A No stays true, whatever others store meanwhile: a claim behind the one that holds never will, and users who
        are one person stay so.
        """
        holds = claims_holding(connection, new)
        if any(claim.anonymous not in holds or claim < holds[claim.anonymous] for claim in new):
            return True
        ends = {key for alias in joins for key in (alias.user_id, alias.previous)}
        found = {row.visitor: row.person for row in _visitors(connection, visitors.c.visitor, ends)}
        return any(
            found.get(alias.user_id) is None or found[alias.user_id] != found.get(alias.previous) for alias in joins
        )

    def grow(self, connection: Connection, visits: Mapping[Key, Sequence[UserDays]], figures: UserFigures) -> None:
        """Add visits of some of its ids to each person, and move the figures."""
        before = _persons(connection, visits)
        after = {}
        for name, own in visits.items():
            known = before[name]
            grown = known.visits
            for one in own:
                grown = one if grown is None else together(grown, one)
            if grown != known.visits:
                figures.move(known.visits, grown)
                after[name] = Person(grown, known.ids)
        put_persons(connection, after)

    def settle(self, connection: Connection, new: Sequence[Claim], joins: Sequence[Alias]) -> UserFigures:
        """Keep statements, join and part visitors by them; nobody else moves visits meanwhile."""
        before = claims_holding(connection, new)
        put_statements(connection, new, joins)
        now = owners_by([*before.values(), *new])
        moved = [claim for key, claim in now.items() if key not in before or claim.user_id != before[key].user_id]
        pairs = [(claim.anonymous, claim.user_id) for claim in moved]
        pairs += [(alias.previous, alias.user_id) for alias in joins]
        found = self._known(connection, {key for pair in pairs for key in pair})
        parted = [claim.anonymous for claim in moved if claim.anonymous in before]
        regrouping = Regrouping(found, _persons(connection, {one.person for one in found.values() if one.person}))
        self._part(connection, regrouping, found, parted)
        for one, other in pairs:
            regrouping.join(one, other)
        regrouped = regrouping.outcome(self._retained)
        _write(connection, regrouped)
        return regrouped.figures

    def _known(self, connection: Connection, keys: Collection[Key]) -> Mapping[Key, Known]:
        """Read visitors; who is not there yet gets a row."""
        there = self._bulk.lock_visits(connection, dict.fromkeys(keys, NO_DAY)) if keys else {}
        return {key: there.get(key, Known(None, None)) for key in keys}

    def _part(
        self, connection: Connection, regrouping: Regrouping, found: Mapping[Key, Known], parted: Sequence[Key]
    ) -> None:
        leaving: dict[Key, list[Key]] = {}
        for key in parted:
            leaving.setdefault(found[key].person or "", []).append(key)
        own: dict[Key, dict[Key, UserDays | None]] = {person: {} for person in leaving}
        for row in _visitors(connection, visitors.c.person, leaving):
            own[row.person][row.visitor] = _visits(row)
        for person, keys in leaving.items():
            regrouping.leave(person, own[person], keys)


def put_statements(connection: Connection, new: Sequence[Claim], joins: Sequence[Alias]) -> None:
    """Write claims and aliases, whose activities are new."""
    if new:
        connection.execute(
            insert(claims),
            [
                {
                    "activity_id": one.activity_id,
                    "anonymous_id": one.anonymous[1:],
                    "at": microseconds(one.at),
                    "user_id": one.user_id,
                }
                for one in new
            ],
        )
    if joins:
        rows = [{"activity_id": one.activity_id, "user_id": one.user_id, "previous_id": one.previous} for one in joins]
        connection.execute(insert(aliases), rows)


def put_persons(connection: Connection, changed: Mapping[Key, Person]) -> None:
    """Write persons, whether they are there or not."""
    if not changed:
        return
    statement = inserting(connection, persons)
    columns = {name: statement.excluded[name] for name in ("first_day", "days", "types", "ids")}
    rows = []
    for name, person in sorted(changed.items()):
        first, days, types = pack_days(person.visits or NO_DAY)
        rows.append({"person": name, "first_day": first, "days": days, "types": types, "ids": person.ids})
    connection.execute(statement.on_conflict_do_update(index_elements=["person"], set_=columns), rows)


def put_labels(connection: Connection, labels: Mapping[Key, Key | None]) -> None:
    """Say of visitors that are there which person they are."""
    if labels:
        one = update(visitors).where(visitors.c.visitor == bindparam("key")).values(person=bindparam("name"))
        connection.execute(one, [{"key": key, "name": name} for key, name in sorted(labels.items())])


def read_claim(at: int, activity_id: UUID | bytes, anonymous_id: str, user_id: str) -> Claim:
    """Read a row of claims."""
    found = activity_id if isinstance(activity_id, UUID) else UUID(bytes=activity_id)
    return Claim(instant_of(at), found, ANONYMOUS + anonymous_id, user_id)


def read_alias(activity_id: UUID | bytes, user_id: str, previous: str) -> Alias:
    """Read a row of aliases."""
    return Alias(activity_id if isinstance(activity_id, UUID) else UUID(bytes=activity_id), user_id, previous)


def _write(connection: Connection, regrouped: Regrouped) -> None:
    if regrouped.renamed:
        one = update(visitors).where(visitors.c.person == bindparam("old")).values(person=bindparam("name"))
        connection.execute(one, [{"old": old, "name": name} for old, name in regrouped.renamed.items()])
    put_labels(connection, regrouped.labels)
    if regrouped.ended:
        connection.execute(delete(persons).where(persons.c.person.in_(regrouped.ended)))
    put_persons(connection, regrouped.persons)


def claims_holding(connection: Connection, new: Sequence[Claim]) -> Mapping[Key, Claim]:
    """Find the claims that hold of the ids of which others say something."""
    if not new:
        return {}
    wanted = msgspec.json.encode(sorted({claim.anonymous[1:] for claim in new})).decode()
    found = connection.exec_driver_sql(_HOLDING[connection.dialect.name], (wanted,))
    return owners_by(read_claim(*row) for row in found)


def _persons(connection: Connection, names: Collection[Key]) -> Mapping[Key, Person]:
    found: dict[Key, Person] = {}
    for chunk in chunks(names):
        wanted = select(persons).where(persons.c.person.in_(chunk)).order_by(persons.c.person).with_for_update()
        found |= {row.person: Person(_visits(row), row.ids) for row in connection.execute(wanted)}
    return found


def _visitors(connection: Connection, column: Any, values: Collection[Key]) -> Iterator[Row[Any]]:
    for chunk in chunks(values):
        yield from connection.execute(select(visitors).where(column.in_(chunk)))


def _visits(row: Row[Any]) -> UserDays | None:
    return unpack_days(row.first_day, row.days, row.types)


def chunks(keys: Collection[Any]) -> Iterator[Sequence[Any]]:
    """Divide keys, in their order, into parts of which each fits into one statement."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
