"""Open the container and what it stands on; close it after."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

import structlog

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.migrate import SchemaError, check_schema, migrate
from app.application.ports.system import HistoryUnavailableError
from app.infrastructure.embedded_redis.embedded_redis import embedded_redis
from app.infrastructure.embedded_redis.running_redis import running_soon
from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.observability.open_tracing import open_tracing
from app.infrastructure.processes.head_start import head_start
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.wiring.container import Container

TRACED = ("api", "worker")
"""The roles that take part in traces."""

log = structlog.get_logger()


@asynccontextmanager
async def open_container(
    settings: Settings, role: str, *, live_state: bool = True, patience: float | None = None
) -> AsyncIterator[Container]:
    """Open the container of a process of this role, and the embedded Redis when the settings have it; close both after.

    Without `live_state` nothing may be asked of it that needs Redis, and none is started. With `patience`, in seconds,
    the block begins after that even if Redis does not run yet, or the database has not answered.

    Raises:
        EmbeddedRedisError: it cannot be started; the message says what to do.
        ConfigurationError: redis.url or database.url cannot be used, or the database has another schema.
        HistoryUnavailableError: the database is away, and without the live state there is nothing else.
    """
    embedded = embedded_redis(settings) if live_state else None
    tracing = open_tracing(settings.telemetry, role) if role in TRACED else Tracing()
    async with running_soon(embedded, patience), tracing:
        redis_url = embedded.url if embedded else settings.redis.url if live_state else "unix:///nowhere"
        container = Container(settings=settings, redis_url=redis_url, role=role, tracing=tracing)
        try:
            redis, blocking, database = container.redis(), container.blocking_redis(), container.database()
        except ValueError as error:
            raise ConfigurationError([str(error)]) from None
        check = partial(_check_history, container, needed=not live_state)
        async with aclosing(database), aclosing(blocking), aclosing(redis), head_start(check, patience):
            yield container


async def _check_history(container: Container, *, needed: bool) -> None:
    """See that the database has our schema; the embedded one gets it. One that is down stops no service: it may come.

    A command that needs it ends; of the others only some ask for it, and say themselves that it is away.
    """
    try:
        await _see_to_schema(container.database())
    except SchemaError as error:
        raise ConfigurationError([str(error)]) from None
    except HistoryUnavailableError as error:
        if needed:
            raise
        if container.role() != "cli":
            log.warning("the history is away; what needs it waits, or answers 503", reason=str(error))


async def _see_to_schema(database: Database) -> None:
    """Look first: to write takes a lock, for which a reader of the embedded one need not wait."""
    try:
        await check_schema(database)
    except SchemaError:
        if not database.is_sqlite:
            raise
        await migrate(database)
