"""Checks of Redis and the database. The embedded ones are looked at from outside: nothing is started or made."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.safekeeping import weaknesses
from app.adapters.outbound.sql.database import FILE, open_database
from app.adapters.outbound.sql.migrate import SchemaError, check_schema, newest
from app.application.check_installation import Check, Finding, Verdict
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.infrastructure.checks.threads import in_thread
from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError, find_redis_binary
from app.infrastructure.embedded_redis.server_version import OLDEST, written_by
from app.infrastructure.settings.settings import Settings

REDIS = "redis"
DATABASE = "database"


def check_databases(settings: Settings) -> list[Check]:
    """Check what holds the live state, and what holds the history."""
    return [Check(REDIS, lambda: _redis(settings)), Check(DATABASE, lambda: _database(settings))]


async def _redis(settings: Settings) -> Sequence[Finding]:
    if settings.redis.url == "embedded":
        return [await in_thread(lambda: _embedded_redis(settings.service.data_dir / "redis"))]
    try:
        async with aclosing(connect(settings.redis.url, timeout=settings.redis.timeout)) as client:
            info = _of_one_node(await client.command("INFO", "everything"))
            found = await weaknesses(client)
    except (ValueError, LiveStateUnavailableError) as error:
        return [Finding(REDIS, Verdict.PROBLEM, str(error))]
    words = f"{client.name} may lose what it holds: "
    endangered = (Finding(REDIS, Verdict.WARNING, words + weakness.reason, weakness.remedy) for weakness in found)
    return [*_judged(client.name, info), *endangered]


def _embedded_redis(directory: Path) -> Finding:
    try:
        binary = find_redis_binary(written_by(directory), where=str(directory))
    except (EmbeddedRedisError, OSError) as error:
        return Finding(REDIS, Verdict.PROBLEM, " ".join(str(error).split()))
    return Finding(REDIS, Verdict.OK, f"embedded, by {binary}")


def _of_one_node(info: Any) -> Mapping[str, Any]:
    """Take what a server says of itself; of a cluster's, what one of them says."""
    first = next(iter(info.values()), None)
    return first if isinstance(first, dict) and "redis_version" in first else info


def _judged(name: str, info: Mapping[str, Any]) -> Iterator[Finding]:
    version = str(info.get("valkey_version") or info["redis_version"])
    yield Finding(REDIS, Verdict.OK, f"{name} answers, version {version}")
    if tuple(map(int, str(info["redis_version"]).split(".")[:2])) < OLDEST.version[:2]:
        yield Finding(REDIS, Verdict.PROBLEM, f"{name} is too old", f"use {OLDEST} or later")
    if info.get("role") == "slave":
        yield Finding(REDIS, Verdict.PROBLEM, f"{name} is a replica", "point redis.url at the primary")


async def _database(settings: Settings) -> Sequence[Finding]:
    if settings.database.url == "embedded":
        return [await in_thread(lambda: _sqlite(settings.service.data_dir / FILE))]
    url, timeout = settings.database.url, settings.database.timeout
    try:
        async with aclosing(open_database(url, settings.service.data_dir, timeout=timeout)) as database:
            version, is_read_only = await database.read(_of_server)
            await check_schema(database)
    except (ValueError, HistoryUnavailableError, SchemaError) as error:
        return [Finding(DATABASE, Verdict.PROBLEM, str(error))]
    if is_read_only:
        return [Finding(DATABASE, Verdict.PROBLEM, f"{database.name} is read-only", "name the primary in database.url")]
    found = f"{database.name} answers, PostgreSQL {version}, schema {newest()}"
    return [Finding(DATABASE, Verdict.OK, found)]


def _of_server(connection: Connection) -> tuple[str, bool]:
    def ask(question: str) -> str:
        return str(connection.exec_driver_sql(question).scalar_one())

    is_read_only = ask("SELECT pg_is_in_recovery()") == "True" or ask("SHOW default_transaction_read_only") == "on"
    return ask("SHOW server_version"), is_read_only


def _sqlite(file: Path) -> Finding:
    """Read the schema's version of a file that others may use; where nobody does, no file is made beside it."""
    if not file.exists():
        return Finding(DATABASE, Verdict.OK, f"embedded; the start makes {file}")
    mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?{mode}", uri=True, timeout=1)) as connection:
            found = _revision(connection.execute)
    except sqlite3.Error as error:
        return Finding(DATABASE, Verdict.PROBLEM, f"{file}: {error}", "see whose it is, or restore a backup")
    known = newest()
    if found is None or found == known:
        return Finding(DATABASE, Verdict.OK, f"embedded, {file}, {f'schema {known}' if found else 'empty'}")
    if found > known:
        words = f"{file} has the newer schema {found}; this version knows {known}"
        return Finding(DATABASE, Verdict.PROBLEM, words, "run the version that made it")
    words = f"embedded, {file}, schema {found}; the next start, or `marquee migrate`, brings it to {known}"
    return Finding(DATABASE, Verdict.WARNING, words, "make a backup first")


def _revision(execute: Callable[[str], sqlite3.Cursor]) -> str | None:
    if not execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None
