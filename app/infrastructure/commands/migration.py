"""The migration of `marquee migrate`."""

from contextlib import aclosing

from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import SchemaError, migrate, newest
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError


async def run_migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to the newest schema; return the one before and the one now.

    Raises:
        ConfigurationError: database.url cannot be used, or the schema is newer than this code.
        HistoryUnavailableError: the database is away.
    """
    try:
        database = open_database(settings.database.url, settings.service.data_dir, timeout=settings.database.timeout)
        async with aclosing(database):
            return await migrate(database), newest()
    except (SchemaError, ValueError) as error:
        raise ConfigurationError([str(error)]) from None
