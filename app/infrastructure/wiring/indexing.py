"""What the indexer and copies of its file need, and no more: without HTTP and SQL it starts in a third of the time."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.search_index.index_copies import FileIndexCopies
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.mapped_index_file import MappedIndexFile
from app.application.follow_catalog import FollowCatalog
from app.application.keep_index_file import KeepIndexFile
from app.application.ports.catalog import ChangeLog
from app.application.ports.copies import IndexCopies
from app.application.ports.index_file import IndexFileFacts
from app.infrastructure.embedded_redis.embedded_redis import embedded_redis
from app.infrastructure.embedded_redis.running_redis import running
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.wiring import redis_clients, trouble_log
from app.infrastructure.wiring.plan_rendering import RENDERING


@dataclass(frozen=True, slots=True)
class Indexing:
    """What an indexer does."""

    follow: FollowCatalog
    keep: KeepIndexFile


@asynccontextmanager
async def open_indexing(settings: Settings, on_written: Callable[[IndexFileFacts], None]) -> AsyncIterator[Indexing]:
    """Open what an indexer needs, and the embedded Redis when the settings have it; close both after.

    Raises:
        EmbeddedRedisError: it cannot be started; the message says what to do.
        ConfigurationError: redis.url cannot be used.
    """
    embedded = embedded_redis(settings)
    async with running(embedded):
        url, remedy = embedded.url if embedded else settings.redis.url, redis_clients.remedy(settings)
        try:
            client = connect(url, timeout=settings.redis.timeout, remedy=remedy)
            blocking = connect(url, timeout=redis_clients.blocking_timeout(settings), remedy=remedy)
        except ValueError as error:
            raise ConfigurationError([str(error)]) from None
        async with aclosing(blocking), aclosing(client):
            log = RedisChangeLog(client, blocking, block=redis_clients.BLOCK)
            yield _indexing(settings, log, on_written)


def _indexing(settings: Settings, log: ChangeLog, on_written: Callable[[IndexFileFacts], None]) -> Indexing:
    index = LiveIndex(RENDERING)
    file = MappedIndexFile(index, RENDERING, SystemClock(), settings.service.data_dir)
    follow = FollowCatalog(
        log,
        index,
        file,
        on_trouble=trouble_log.log_indexing_trouble,
        on_refused_file=trouble_log.log_refused_file,
    )
    keep = KeepIndexFile(
        follow=follow,
        index_file=file,
        interval=settings.search.index_interval or 0.0,
        on_trouble=trouble_log.log_index_file_trouble,
        on_written=on_written,
    )
    return Indexing(follow, keep)


@asynccontextmanager
async def open_index_copies(settings: Settings) -> AsyncIterator[IndexCopies]:
    """Make what copies the index file; it opens nothing."""
    yield FileIndexCopies(settings.service.data_dir, RENDERING)
