"""Opens what copies a history: two databases, closed after."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from app.adapters.outbound.sql.database import FILE, SQLITE, Database, open_database
from app.adapters.outbound.sql.history_copy import SqlHistoryCopy
from app.application.ports.copies import CopyError, HistoryCopy
from app.infrastructure.observability.logging import configure_logging
from app.infrastructure.settings.settings import DATABASE_SCHEMES, Settings
from app.infrastructure.settings.start_errors import ConfigurationError


@asynccontextmanager
async def open_history_copy(settings: Settings, source: str | None, target: str) -> AsyncIterator[HistoryCopy]:
    """Open the way from one database to another; `source` is that of the settings by default.

    Raises:
        ConfigurationError: one of the URLs cannot be used.
        CopyError: there is no source, or it is the target.
    """
    log_warnings_only(settings)
    source = source or settings.database.url
    file, other = history_file(settings, source), history_file(settings, target)
    if source == target or (file is not None and other is not None and file.resolve() == other.resolve()):
        raise CopyError("--from and --to name one database")
    if file is not None and not file.exists():
        raise CopyError(f"there is no history in {file}")
    async with opened(settings, source) as one, opened(settings, target) as two:
        yield SqlHistoryCopy(one, two)


def log_warnings_only(settings: Settings) -> None:
    """Let a command's log tell of troubles only, as that of every other command."""
    configure_logging(settings.logging.model_copy(update={"level": "warning"}), "cli")


def history_file(settings: Settings, url: str) -> Path | None:
    """Say which file a URL names; None for a server."""
    if url == "embedded":
        return settings.service.data_dir / FILE
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


@asynccontextmanager
async def opened(settings: Settings, url: str) -> AsyncIterator[Database]:
    """Open a database, and close it after.

    Raises:
        ConfigurationError: the URL cannot be used.
    """
    if history_file(settings, url) is None and urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise ConfigurationError(["expected postgresql://user:password@host/name, embedded, or sqlite:///PATH"])
    try:
        database = open_database(url, settings.service.data_dir, timeout=settings.database.timeout)
    except ValueError as error:
        raise ConfigurationError([str(error)]) from None
    async with aclosing(database):
        yield database
