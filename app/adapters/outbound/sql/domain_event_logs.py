"""The journal of plans and the outbox of users as logs of domain events: a row is a fact, a position its number."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Row, func, select

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.plan_codec import unpack_known, unpack_told
from app.adapters.outbound.sql.plan_journal import unpack_kinds
from app.adapters.outbound.sql.publishing_schema import outbox
from app.adapters.outbound.sql.rows import instant_of
from app.adapters.outbound.sql.schema import plan_journal as journal
from app.adapters.outbound.sql.user_codec import told_of
from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.domain.domain_events import DomainEvent, PlanFact, plan_event_id, plan_fact_of


class _SqlLog(SqlStore, DomainEventLog):
    """Reads by the primary key."""

    columns: ClassVar[Sequence[ColumnElement[Any]]]
    """The first one is the number."""

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Read the rows that follow; decode them in a thread."""
        number = self.columns[0]
        wanted = select(*self.columns).where(number > after).order_by(number).limit(max(limit, 0))
        rows = await self._rows(wanted)
        return await asyncio.to_thread(lambda: [LoggedFact(row[0], self._told(row)) for row in rows]) if rows else []

    async def head(self) -> int:
        """Look at the end of the primary key."""
        last = select(func.max(self.columns[0]))
        return await self._database.read(lambda connection: connection.execute(last).scalar() or 0)

    @staticmethod
    @abstractmethod
    def _told(row: Row[*tuple[Any, ...]]) -> DomainEvent: ...


class SqlPlanLog(_SqlLog):
    """What SqlPlanJournal wrote: what happened to a plan, and its state from then on."""

    name = "plans"
    columns = (journal.c.entry_id, *(column for column in journal.c if column.name not in ("entry_id", "plan")))
    """Without the whole plan, which is most of a row."""

    @staticmethod
    def _told(row: Row[*tuple[Any, ...]]) -> PlanFact:
        kinds, plan_id, occurred_at = unpack_kinds(row.kinds), row.plan_id, instant_of(row.known_from)
        return plan_fact_of(kinds)(
            event_id=plan_event_id(row.entry_id, plan_id, occurred_at, row.run_id),
            occurred_at=occurred_at,
            provider=row.provider,
            plan_id=plan_id,
            kinds=kinds,
            run_id=row.run_id,
            in_feed=unpack_known(row.known).in_feed,
            is_searchable=row.searchable,
            state=unpack_told(row.summary, instant_of(row.starts_at), instant_of(row.ends_at), row.provider),
        )


class SqlUserLog(_SqlLog):
    """What SqlUsers told."""

    name = "users"
    columns = tuple(outbox.c)

    _told = staticmethod(told_of)
