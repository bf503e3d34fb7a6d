"""The journal of plans as a log of domain events: a row is what happened to a plan, and its state from then on."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.ids import id_of
from app.adapters.outbound.sql.instants import instant_of
from app.adapters.outbound.sql.plan_codec import unpack_known, unpack_summary
from app.adapters.outbound.sql.plan_journal import unpack_kinds
from app.adapters.outbound.sql.schema import plan_journal as journal
from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.domain.domain_events import PlanFact, plan_event_id, plan_fact_of
from app.domain.plans import SearchablePlan

_COLUMNS = (
    "entry_id", "provider", "plan_id", "kinds", "run_id", "known_from", "known", "searchable", "starts_at", "ends_at",
    "summary",
)  # fmt: skip
"""Without the whole plan, which is most of a row."""


class SqlPlanLog(DomainEventLog):
    """What SqlPlanJournal wrote; a position is an entry's id."""

    name = "plans"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Read the rows that follow."""
        wanted = select(*(journal.c[name] for name in _COLUMNS)).where(journal.c.entry_id > after)
        wanted = wanted.order_by(journal.c.entry_id).limit(max(limit, 0))
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        return await asyncio.to_thread(lambda: [LoggedFact(row.entry_id, _told(row)) for row in rows]) if rows else []

    async def head(self) -> int:
        """Look at the end of the primary key."""
        last = select(func.max(journal.c.entry_id))
        return await self._database.read(lambda connection: connection.execute(last).scalar() or 0)


def _told(row: Row[*tuple[Any, ...]]) -> PlanFact:
    kinds, plan_id, occurred_at = unpack_kinds(row.kinds), id_of(row.plan_id), instant_of(row.known_from)
    return plan_fact_of(kinds)(
        event_id=plan_event_id(row.entry_id, plan_id, occurred_at, row.run_id),
        occurred_at=occurred_at,
        provider=row.provider,
        plan_id=plan_id,
        kinds=kinds,
        run_id=row.run_id,
        in_feed=unpack_known(row.known).in_feed,
        is_searchable=row.searchable,
        state=SearchablePlan(instant_of(row.starts_at), instant_of(row.ends_at), unpack_summary(row.summary)),
    )
