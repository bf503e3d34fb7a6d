"""What is kept of visitors and persons, after days and statements were taken from them.

Whoever calls is alone among those who count. The persons that are touched are found out anew from the statements that
are left, as `app.domain.identities` defines it: they cost what these persons have, not what all have.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app.adapters.outbound.sql.bulk import Bulk
from app.adapters.outbound.sql.identities import chunks, claims_holding, put_labels, put_persons, read_claim
from app.adapters.outbound.sql.packed_days import NO_DAY, unpack_days
from app.adapters.outbound.sql.schema import aliases, claims, persons, visitors
from app.domain.activities import Activity
from app.domain.identities import ANONYMOUS, Alias, Key, aliases_in, claims_in, owners_by, persons_by
from app.domain.regrouping import Known, Person
from app.domain.rollups import Day
from app.domain.user_days import UserDays, joined, less
from app.domain.user_figures import UserFigures

Lost = Mapping[Key, Mapping[str, Collection[Day]]]
"""By visitor and type the days with nothing left; under ALL those of no type."""
_CLAIM = (claims.c.at, claims.c.activity_id, claims.c.anonymous_id, claims.c.user_id)


@dataclass(frozen=True, slots=True)
class Groups:
    """Who is one person; visitors who are alone are not named."""

    before: Mapping[Key, Key] = field(default_factory=dict)
    """By visitor, the name of the person."""
    after: Mapping[Key, Key] = field(default_factory=dict)


def take_out(
    connection: Connection, bulk: Bulk, lost: Lost, unsaid: Sequence[Activity], retained: Collection[str] = ()
) -> tuple[UserFigures, Groups]:
    """Take days and statements away; say how the figures of users change, and who was and is one person.

    Retention is kept of types `retained`, besides that of all.
    """
    named = _take_statements(connection, unsaid)
    found = _read(connection, {*named, *lost})
    before = {key: one.person for key, one in found.items() if one.person is not None}
    after = _persons_now(connection, {*before, *(key for key in named if key in found)})
    visits = {key: one.visits and less(one.visits, lost.get(key, {})) for key, one in found.items()}
    figures = UserFigures(retained)
    _move(figures, _of_groups({key: one.visits for key, one in found.items()}, before), back=True)
    together = _of_groups(visits, after)
    _move(figures, together, back=False)
    _write_visitors(connection, bulk, found, visits, after)
    _write_persons(connection, set(before.values()), after, together)
    return figures, Groups(before, after)


def _take_statements(connection: Connection, unsaid: Sequence[Activity]) -> set[Key]:
    """Delete what statements say; name all ids of whom they, or those that hold instead, say something."""
    said, joins = claims_in(unsaid), aliases_in(unsaid)
    for table, statements in ((claims, said), (aliases, joins)):
        for chunk in chunks({one.activity_id for one in statements}):
            connection.execute(delete(table).where(table.c.activity_id.in_(chunk)))
    named = {key for claim in said for key in (claim.anonymous, claim.user_id)}
    named |= {key for alias in joins for key in (alias.user_id, alias.previous)}
    return named | {claim.user_id for claim in claims_holding(connection, said).values()}


def _read(connection: Connection, keys: Collection[Key]) -> dict[Key, Known]:
    """Read visitors, and all who are one person with them."""
    found = dict(_visitors(connection, visitors.c.visitor, keys))
    found |= _visitors(connection, visitors.c.person, {one.person for one in found.values() if one.person is not None})
    return found


def _visitors(connection: Connection, column: Any, values: Collection[Key]) -> Iterable[tuple[Key, Known]]:
    for chunk in chunks(values):
        for row in connection.execute(select(visitors).where(column.in_(chunk))):
            yield row.visitor, Known(_visits(row), row.person)


def _visits(row: Row[Any]) -> UserDays | None:
    return unpack_days(row.first_day, row.days, row.types)


def _persons_now(connection: Connection, keys: Collection[Key]) -> dict[Key, Key]:
    """Find out who is one person by the statements that are there; `keys` have all who are linked with one of them."""
    owners, joins = [], []
    for chunk in chunks({key[1:] for key in keys if key.startswith(ANONYMOUS)}):
        columns = (claims.c.at, claims.c.activity_id, claims.c.anonymous_id, claims.c.user_id)
        owners += [
            read_claim(*row) for row in connection.execute(select(*columns).where(claims.c.anonymous_id.in_(chunk)))
        ]
    for chunk in chunks({key for key in keys if not key.startswith(ANONYMOUS)}):
        rows = connection.execute(select(aliases).where(aliases.c.user_id.in_(chunk)))
        joins += [Alias(row.activity_id, row.user_id, row.previous_id) for row in rows]
    return persons_by(owners_by(owners), joins)


def _of_groups(own: Mapping[Key, UserDays | None], person_of: Mapping[Key, Key]) -> dict[Key, UserDays | None]:
    """Join the days of those who are one person, by its name; who is alone has its own."""
    together: dict[Key, UserDays | None] = {}
    for key, visits in own.items():
        name = person_of.get(key, key)
        together[name] = joined(together.get(name), visits)
    return together


def _move(figures: UserFigures, groups: Mapping[Key, UserDays | None], *, back: bool) -> None:
    for visits in groups.values():
        if back:
            figures.move(visits, None)
        else:
            figures.move(None, visits)


def _write_visitors(
    connection: Connection,
    bulk: Bulk,
    found: Mapping[Key, Known],
    visits: Mapping[Key, UserDays | None],
    person_of: Mapping[Key, Key],
) -> None:
    """Write what has changed; of who did nothing and is nobody's, no row stays."""
    ended = {key for key, own in visits.items() if own is None and key not in person_of}
    for chunk in chunks(ended):
        connection.execute(delete(visitors).where(visitors.c.visitor.in_(chunk)))
    changed = {key: own or NO_DAY for key, own in visits.items() if key not in ended and own != found[key].visits}
    if changed:
        bulk.update_visits(connection, changed)
    labels = {key: person_of.get(key) for key in found if key not in ended}
    put_labels(connection, {key: name for key, name in labels.items() if name != found[key].person})


def _write_persons(
    connection: Connection, ended: Collection[Key], person_of: Mapping[Key, Key], visits: Mapping[Key, UserDays | None]
) -> None:
    for chunk in chunks(ended):
        connection.execute(delete(persons).where(persons.c.person.in_(chunk)))
    ids: dict[Key, int] = {}
    for name in person_of.values():
        ids[name] = ids.get(name, 0) + 1
    put_persons(connection, {name: Person(visits[name], number) for name, number in ids.items()})
