"""HistoryCopy in SQL: every table, from one snapshot of the source, compared at the end.

Large tables go over in the order of their primary keys, some rows a transaction: the highest key that the target has is
where a run that was cut off goes on. The others are replaced as a whole. The comparison reads both sides to their ends,
so nothing rests on what an earlier run did; when it fails after such a run, everything is copied once more.
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, text

from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.autoincrement import high_mark, set_high_mark
from app.adapters.outbound.sql.canonical_rows import BATCH, Checksum, Values, batches, load_rows, read_rows
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.migrate import UNFINISHED, SchemaError, check_schema, migrate_now, newest, version
from app.adapters.outbound.sql.partitions import make_room, number_behind_all
from app.adapters.outbound.sql.schema import activities
from app.application.ports.copies import CopiedHistory, CopyError, CopyProgress, HistoryCopy

_TABLES = metadata.sorted_tables
"""Those that others refer to come first."""
_LARGE = frozenset({
    "activities", "activity_ids", "aliases", "claims", "outbox", "persons", "plan_journal", "users", "visitors",
    "webhook_attempts", "webhook_deliveries", "webhook_endpoints",
})  # fmt: skip
"""Each has one column as its key, which both databases order alike; others may refer to its rows."""
_stamp = text("UPDATE alembic_version SET version_num = :version")


class SqlHistoryCopy(HistoryCopy):
    """From one database to another; the source must have our newest schema, the target is brought to it."""

    def __init__(self, source: Database, target: Database) -> None:
        self._source = source
        self._target = target
        self._is_stopped = False

    async def __call__(self, progress: CopyProgress | None = None) -> CopiedHistory:
        """Read in one long transaction, write in many short ones."""
        try:
            await check_schema(self._source)
            resumed = await self._target.write(self._claim, unlimited=True)
            rows, before = await self._source.read(lambda source: self._copy(source, resumed, progress), unlimited=True)
            await self._target.write(lambda target: target.execute(_stamp, {"version": newest()}))
            moved_on = before != await self._source.read(_marks)
        except SchemaError as error:
            raise CopyError(str(error)) from None
        except asyncio.CancelledError:
            self._is_stopped = True
            raise
        return CopiedHistory(self._source.name, self._target.name, rows, resumed, moved_on)

    def _claim(self, target: Connection) -> bool:
        """Make the schema, and see that nobody works with it until all is there; True: a run before had begun."""
        unfinished, found = f"{UNFINISHED}:{newest()}", version(target, self._target.name)
        if found == unfinished:
            return True
        migrate_now(target, self._target.name)
        used = [table.name for table in _TABLES if target.execute(select(table).limit(1)).first()]
        if used:
            raise CopyError(
                f"the database {self._target.name} holds data already ({', '.join(used)}): copy into an empty one"
            )
        target.execute(_stamp, {"version": unfinished})
        return False

    def _copy(
        self, source: Connection, resumed: bool, progress: CopyProgress | None
    ) -> tuple[dict[str, int], Sequence[Any]]:
        marks = _marks(source)
        self._copy_tables(source, progress)
        rows = self._compare(source, progress)
        if rows is None and resumed:  # the source has changed since that run
            self._target.write_now(_empty)
            self._copy_tables(source, progress)
            rows = self._compare(source, progress)
        if rows is None:
            raise CopyError(
                f"what {self._target.name} holds now differs from {self._source.name}: somebody else writes to it; "
                "stop that, and run the same command again"
            )
        if not self._target.is_sqlite:
            self._target.write_now(lambda target: target.exec_driver_sql("ANALYZE"))
        return rows, marks

    def _copy_tables(self, source: Connection, progress: CopyProgress | None) -> None:
        for table in _TABLES:
            if progress:
                progress.begins(table.name, source.execute(select(func.count()).select_from(table)).scalar_one())
            if table.name in _LARGE:
                self._continue(source, table, progress)
            else:
                self._replace(source, table, progress)
            if table.autoincrement_column is not None:
                self._target.write_now(partial(set_high_mark, table=table, mark=high_mark(source, table)))
        self._target.write_now(number_behind_all)

    def _continue(self, source: Connection, table: Table, progress: CopyProgress | None) -> None:
        (key,) = table.primary_key.columns
        last, done = self._target.read_now(
            lambda target: (
                target.execute(select(key).order_by(key.desc()).limit(1)).scalar(),
                target.execute(select(func.count()).select_from(table)).scalar_one(),
            )
        )
        wanted = select(table).order_by(key)
        if last is not None:
            wanted = wanted.where(key > last)
            if progress:
                progress.advances(done)
        for rows in batches(self._told(read_rows(source, table, wanted), progress)):
            self._target.write_now(partial(_load, table=table, rows=rows))

    def _replace(self, source: Connection, table: Table, progress: CopyProgress | None) -> None:
        def work(target: Connection) -> None:
            target.execute(delete(table))
            for rows in batches(self._told(read_rows(source, table), progress)):
                load_rows(target, table, rows)

        self._target.write_now(work)

    def _compare(self, source: Connection, progress: CopyProgress | None) -> dict[str, int] | None:
        """Count the rows of each table; None when one of them differs."""
        rows = {}
        for table in _TABLES:
            here = self._checksum(source, table, None)
            if progress:
                progress.begins(f"{table.name} (comparing)", here.rows)
            there = self._target.read_now(partial(self._checksum, table=table, progress=progress))
            if here != there:
                return None
            rows[table.name] = here.rows
        return rows

    def _checksum(self, connection: Connection, table: Table, progress: CopyProgress | None) -> Checksum:
        found = Checksum()
        for row in self._told(read_rows(connection, table), progress):
            found.add(row)
        return found

    def _told(self, rows: Iterator[Values], progress: CopyProgress | None) -> Iterator[Values]:
        """Hand on rows, tell of them now and then, and end when nobody wants them any more."""
        for number, row in enumerate(rows, 1):
            yield row
            if number % BATCH == 0:
                if self._is_stopped:
                    raise CopyError("stopped")
                if progress:
                    progress.advances(BATCH)


def _load(target: Connection, table: Table, rows: Sequence[Values]) -> None:
    if table is activities:
        make_room(target, (row[0] for row in rows))
    load_rows(target, table, rows)


def _empty(target: Connection) -> None:
    for table in reversed(_TABLES):
        target.execute(delete(table))


def _marks(connection: Connection) -> Sequence[Any]:
    """Say how far a history has come, by what every change of it moves."""
    tables = {table.name: table for table in _TABLES}
    figures = (
        func.sum(tables["type_totals"].c["count"]),
        func.max(tables["plan_journal"].c.entry_id),
        func.max(tables["outbox"].c.position),
        func.max(tables["webhook_attempts"].c.attempt_id),
        func.max(tables["access_version"].c.version),
        func.sum(tables["publishing_positions"].c.position),
    )
    return [int(connection.execute(select(figure)).scalar() or 0) for figure in figures]
