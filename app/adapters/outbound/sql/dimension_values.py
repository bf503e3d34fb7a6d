"""Which values of dimensions are admitted: so many of each, in the order in which they come, until all room is taken.

Then the dimension is closed, which is a row as well: whatever the bound is later, nothing is admitted any more before
the figures are made anew. So what counts under a value has always counted there.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.canonical_rows import batches
from app.adapters.outbound.sql.counted_figures import generation
from app.adapters.outbound.sql.raw_fold import ROWS, stream
from app.adapters.outbound.sql.schema import activities, dimension_totals, dimension_values
from app.domain.activities import STATEMENTS
from app.domain.column_fold import Fold
from app.domain.dimensions import (
    OTHER,
    SOURCE,
    Code,
    DimensionTotals,
    FrequentValues,
    codes_by,
    is_bounded,
    placed,
)
from app.domain.rollups import Rollup


class DimensionValues:
    """Remembers what is admitted; only what others may see too, so that nothing is remembered that is rolled back."""

    def __init__(self, rollups: Sequence[Rollup]) -> None:
        self._rollup = next((one for one in rollups if isinstance(one, DimensionTotals)), None)
        self._generation = -1
        self._known: dict[str, Collection[Code]] = {}

    def place(self, connection: Connection, fold: Fold, *, admits: bool = True) -> None:
        """Admit new values while there is room, and count the rest among the others."""
        if self._rollup is None or self._rollup.name not in fold.sums:
            return
        now = generation(connection)
        if now != self._generation:
            self._generation, self._known = now, {}
        sums = fold.sums[self._rollup.name]
        wanted: dict[str, set[Code]] = {}
        for dimension, _, _, code in sums:
            if is_bounded(code):
                wanted.setdefault(dimension, set()).add(code)
        admitted = {
            dimension: self._admitted(connection, dimension, codes, admits=admits)
            for dimension, codes in sorted(wanted.items())
        }
        fold.sums[self._rollup.name] = placed(sums, admitted)

    def _admitted(self, connection: Connection, dimension: str, codes: set[Code], *, admits: bool) -> Collection[Code]:
        known = self._known.get(dimension, frozenset())
        if codes.issubset(known) or OTHER in known:
            return known
        known = self._known[dimension] = _read(connection, dimension)
        new = codes.difference(known)
        if not new or OTHER in known or not admits:
            return known
        hold(connection, AdvisoryLock.DIMENSIONS)
        known = _read(connection, dimension)
        new = codes.difference(known)
        if not new or OTHER in known:
            return known
        room = max(0, (self._rollup.most if self._rollup else 0) - len(known))
        taken = sorted(new)[:room]
        _insert(connection, dimension, [*taken, OTHER] if len(new) > room else taken)
        return {*known, *taken}


def bounded(connection: Connection, rollups: Sequence[Rollup]) -> Sequence[Rollup]:
    """Let a rollup by dimensions count by the values that are admitted now."""
    return [_bounded(connection, one) if isinstance(one, DimensionTotals) else one for one in rollups]


def admit_anew(connection: Connection, rollups: Sequence[Rollup]) -> None:
    """Admit the most frequent values of the activities that are there, besides those under which something counts."""
    connection.execute(delete(dimension_values))
    for rollup in rollups:
        if isinstance(rollup, DimensionTotals):
            for dimension in rollup.dimensions:
                _admit_frequent(connection, dimension, rollup.most)


def _admit_frequent(connection: Connection, dimension: str, most: int) -> None:
    of_this = dimension_totals.c.dimension == dimension
    frozen = connection.execute(select(dimension_totals.c.value).where(of_this).distinct()).scalars().all()
    frequent = FrequentValues(most)
    column = activities.c.source if dimension == SOURCE else activities.c.properties
    for rows in batches(stream(connection, select(column).where(activities.c.type.not_in(STATEMENTS))), ROWS):
        values = [row[0] for row in rows]
        frequent.count(codes_by(dimension, values, values))
    kept = {code for code in frozen if is_bounded(code)}
    found, closed = frequent.found()
    kept.update([code for code in found if code not in kept][: max(0, most - len(kept))])
    closed = closed or any(code not in kept for code in found) or OTHER in frozen
    _insert(connection, dimension, sorted({*kept, OTHER} if closed else kept))


def _bounded(connection: Connection, rollup: DimensionTotals) -> DimensionTotals:
    admitted: Mapping[str, Any] = {name: _read(connection, name) for name in rollup.dimensions}
    return DimensionTotals(rollup.dimensions, rollup.most, admitted)


def _read(connection: Connection, dimension: str) -> frozenset[Code]:
    found = connection.execute(select(dimension_values.c.value).where(dimension_values.c.dimension == dimension))
    return frozenset(found.scalars())


def _insert(connection: Connection, dimension: str, codes: Sequence[Code]) -> None:
    if codes:
        connection.execute(insert(dimension_values), [{"dimension": dimension, "value": code} for code in codes])
