"""Which figures count all activities: noted when the rollups are made anew, or begin with the first activity.

A figure that an upgrade or a setting has added counts only what comes since; until `marquee stats rebuild` it is said
to be incomplete, and no question is answered from it.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, select

from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.schema import stats_counted, type_totals
from app.application.ports.period_stats import FigureIncompleteError
from app.domain.rollups import Rollup

ACTIVE, RETENTION = "active_users", "type_retention_cells"
_ONE = 1


class CountedFigures:
    """What is counted here, compared with what is noted. A figure may have parts: dimensions, types."""

    def __init__(self, rollups: Sequence[Rollup], retained: Collection[str]) -> None:
        self._ours = {rollup.name: rollup.counts_by for rollup in rollups}
        self._ours |= {ACTIVE: "", RETENTION: ",".join(sorted(retained))}

    def settle(self, connection: Connection) -> None:
        """Note them where nothing was counted yet. Nobody may count meanwhile."""
        if connection.execute(select(type_totals.c.type).limit(1)).first() is None:
            self.note(connection)

    def note(self, connection: Connection) -> None:
        """Say that all of ours count all activities from now on; whoever remembers admitted values forgets them."""
        figures = msgspec.json.encode(self._ours).decode()
        new = inserting(connection, stats_counted).values(one=_ONE, generation=1, figures=figures)
        changed = {"generation": stats_counted.c.generation + 1, "figures": figures}
        connection.execute(new.on_conflict_do_update(index_elements=["one"], set_=changed))

    def trouble(self, connection: Connection) -> str | None:
        """Name what is incomplete; None: nothing is."""
        if connection.execute(select(type_totals.c.type).limit(1)).first() is None:
            return None
        noted = _noted(connection)
        missing = [name for name, parts in self._ours.items() if name not in noted or not _has_all(noted[name], parts)]
        if not missing:
            return None
        return (
            f"these figures do not count all activities yet, because they are new or configured anew: "
            f"{', '.join(missing)}; run `marquee stats rebuild`"
        )


def generation(connection: Connection) -> int:
    """Number the state of the rollups: another one each time when they are emptied or made anew."""
    return connection.execute(select(stats_counted.c.generation)).scalar() or 0


def require(connection: Connection, figure: str, part: str = "") -> None:
    """See that a figure, or a part of it, counts all activities.

    Raises:
        FigureIncompleteError: it does not.
    """
    noted = _noted(connection)
    complete = figure in noted and _has_all(noted[figure], part)
    if not complete and connection.execute(select(type_totals.c.type).limit(1)).first() is not None:
        raise FigureIncompleteError(part or figure)


def _noted(connection: Connection) -> Mapping[str, str]:
    found = connection.execute(select(stats_counted.c.figures)).scalar()
    return msgspec.json.decode(found, type=dict[str, str]) if found else {}


def _has_all(noted: str, parts: str) -> bool:
    return set(parts.split(",")) <= {*noted.split(","), ""}
