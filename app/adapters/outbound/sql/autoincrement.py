"""The numbers that a database gives to rows, carried over: none is given twice, not even one of a row that is gone."""

from sqlalchemy import Connection, Table, func, select, text


def high_mark(connection: Connection, table: Table) -> int:
    """Say the highest number that was given; 0 when none was."""
    (column,) = table.primary_key
    highest = connection.execute(select(func.max(column))).scalar() or 0
    if connection.dialect.name == "sqlite":
        given = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        return max(int(highest), int(given.scalar() or 0))  # no number is kept where SQLite looks at its rows
    sequence = connection.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar_one()
    last, is_given = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608
    return max(int(highest), int(last) if is_given else 0)


def set_high_mark(connection: Connection, table: Table, mark: int) -> None:
    """Let the next number be higher than the mark."""
    (column,) = table.primary_key
    if connection.dialect.name != "sqlite":
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, max(mark, 1), mark > 0)))
    elif table.dialect_options["sqlite"]["autoincrement"]:
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        values = {"name": table.name, "mark": mark}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :mark)"), values)
