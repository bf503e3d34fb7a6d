"""The schema's version: brought to the newest one, or found to be another."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.adapters.outbound.sql.database import Database

_ENVIRONMENT = Path(__file__).parent / "alembic_environment"
_MIGRATIONS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 0x6D61727175656502


class SchemaError(Exception):
    """The database's schema is not the one that this version of Marquee works with; the message says what to do."""


def newest() -> str:
    """Name the version that this code works with."""
    head = _scripts().get_current_head()
    assert head is not None  # noqa: S101 - there is at least one migration
    return head


async def migrate(database: Database) -> str | None:
    """Bring the schema to the newest version; return the one before (None: there was none).

    Raises:
        SchemaError: it is newer than this code.
        HistoryUnavailableError: as in every use of a database.
    """
    return await database.write(_migrate, patient=True)


async def check_schema(database: Database) -> None:
    """See that the schema is the one that this code works with.

    Raises:
        SchemaError: it is older or newer, or there is none.
        HistoryUnavailableError: nobody can tell now.
    """
    found = await database.read(_version)
    if found is None:
        raise SchemaError(f"the database {database.name} has no schema yet: run `marquee migrate`")
    if found != newest():
        _refuse_newer(found)
        raise SchemaError(
            f"the database {database.name} has the older schema {found}, this version needs {newest()}: "
            "make a backup, then run `marquee migrate`"
        )


def _migrate(connection: Connection) -> str | None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})")
    before = _version(connection)
    if before is not None:
        _refuse_newer(before)
    if before != newest():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before


def _config() -> Config:
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(_ENVIRONMENT).replace("%", "%%"))
    config.set_main_option("version_locations", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found not in known:
        raise SchemaError(
            f"the database has the schema {found}, which this version of Marquee does not know (it knows up to "
            f"{newest()}): it was made by a newer one; run that one"
        )
