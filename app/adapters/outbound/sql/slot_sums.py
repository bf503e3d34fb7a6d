"""Rollups as they are read: their slots (`take_slot` in advisory_locks.py) added up."""

from typing import Any

from sqlalchemy import BigInteger, Column, Select, Table, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from app.adapters.outbound.sql.columns import ExactDecimal


class exact_sum(GenericFunction[Any]):  # noqa: N801 - a function of SQL
    """Adds decimals to the last digit."""

    type = ExactDecimal()
    inherit_cache = True


# SQLite's own sum would take them for floats; PostgreSQL's is exact.
compiles(exact_sum, "postgresql")(lambda element, compiler, **more: f"sum({compiler.process(element.clauses, **more)})")


def summed(table: Table) -> Select[Any]:
    """Read the key of a rollup without its slot, then its figures."""
    keys = [column for column in table.primary_key if column.name != "slot"]
    figures = [_sum(column) for column in table.columns if not column.primary_key]
    return select(*keys, *figures).group_by(*keys)


def _sum(column: Column[Any]) -> Any:
    if isinstance(column.type, ExactDecimal):
        return exact_sum(column).label(column.name)
    return cast(func.sum(column), BigInteger).label(column.name)
