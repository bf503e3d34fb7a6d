"""The schema's version: brought to the newest one, or found to be another."""

from functools import partial
from pathlib import Path
from secrets import token_hex

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.database import Database
from app.application.ports.system import HistoryUnavailableError

_ENVIRONMENT = Path(__file__).parent / "alembic_environment"
_MIGRATIONS = Path(__file__).parent / "migrations"

UNFINISHED = "unfinished-copy"
"""How the version of a database begins that `marquee history copy` has not brought to its end: nobody works with it."""


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
    return await database.write(partial(migrate_now, name=database.name), unlimited=True)


async def check_schema(database: Database) -> None:
    """See that the schema is the one that this code works with.

    Raises:
        SchemaError: it is older or newer, or there is none.
        HistoryUnavailableError: nobody can tell now.
    """
    found = await database.read(partial(version, name=database.name))
    if found is None:
        raise SchemaError(f"the database {database.name} has no schema yet: run `marquee migrate`")
    if found != newest():
        _refuse_newer(found, database.name)
        raise SchemaError(
            f"the database {database.name} has the older schema {found}, this version needs {newest()}: "
            "make a backup, then run `marquee migrate`"
        )


def migrate_now(connection: Connection, name: str) -> str | None:
    """Do what `migrate` does in a transaction of the database of that name."""
    hold(connection, AdvisoryLock.MIGRATION)
    before = version(connection, name)
    if before is not None:
        _refuse_newer(before, name)
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


def version(connection: Connection, name: str) -> str | None:
    """Read the version of the database of that name; None when nothing is there.

    Raises:
        HistoryUnavailableError: what answers is not what was asked, or our tables are there and hidden: a pooler may
            have mixed up sessions, so nobody may conclude that there is no schema.
    """
    if connection.dialect.name == "postgresql" and not _is_shown(connection, name):
        return None
    return MigrationContext.configure(connection).get_current_revision()


_SHOWN = text(
    "SELECT :question AS answer, to_regclass('alembic_version') IS NOT NULL AS is_shown, "
    "current_schemas(false) AS path, (SELECT string_agg(n.nspname, ', ') FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relname = 'plan_journal' AND c.relkind = 'r') AS schemas"
)


def _is_shown(connection: Connection, name: str) -> bool:
    question = token_hex(8)
    row = connection.execute(_SHOWN, {"question": question}).mappings().one_or_none()
    if row is None or row.get("answer") != question:
        raise HistoryUnavailableError(
            f"the database {name} answers another question than was asked: a pooler before it mixes up sessions"
        )
    if not row["is_shown"] and row["schemas"]:
        raise HistoryUnavailableError(
            f"the database {name} has our tables in the schema {row['schemas']}, which this session does not look into "
            f"(its search_path is {', '.join(row['path']) or 'empty'}): a pooler before it may have mixed up sessions, "
            "or database.url and the user's search_path differ from those of the migration"
        )
    return bool(row["is_shown"])


def _refuse_newer(found: str, name: str) -> None:
    if found.startswith(UNFINISHED):
        raise SchemaError(
            f"the database {name} is the target of a `marquee history copy` that has not ended: run the same command "
            "again, with the same version of Marquee, and it goes on from there"
        )
    known = {script.revision for script in _scripts().walk_revisions()}
    if found not in known:
        raise SchemaError(
            f"the database {name} has the schema {found}, which this version of Marquee does not know (it knows up to "
            f"{newest()}): it was made by a newer one; run that one"
        )
