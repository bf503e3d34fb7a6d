"""The indexer: follows the catalog and keeps the index file, so that no process that answers has to (ADR 0085)."""

import asyncio
import os
from pathlib import Path

import structlog

from app.adapters.machine.index_place import PLACE
from app.adapters.machine.logged_trouble import logged_trouble
from app.adapters.machine.private_files import make_private_directory
from app.application.ports.index_file import IndexFileFacts
from app.domain.backoff import Backoff
from app.infrastructure.processes.file_lock import FileLock
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects, give_back
from app.infrastructure.processes.parent_watch import until_supervisor_gone
from app.infrastructure.roles.background_tasks import run_with_background
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError

log = structlog.get_logger()

LOCK = "indexer.lock"

TAKEOVER_SECONDS = 1.0
"""Between two looks whether the indexer before us has ended."""

RETRY = Backoff(first=1.0, longest=60.0)
"""Between two looks whether the directory can be written by now."""

STANDS_AFTER = 3.0
"""Seconds: a follower looks for a newer file every second."""

NICENESS = 5
"""What answers goes first."""


async def run_indexer(settings: Settings) -> None:
    """Keep the index file of this data directory until told to end; then write what it lacks.

    Raises:
        ConfigurationError: the settings want none.
        EmbeddedRedisError: see `open_indexing`.
    """
    if settings.search.index_interval is None:
        raise ConfigurationError(["search.index_interval: null says that no index file is kept, expected seconds"])
    os.nice(NICENESS)
    folder = settings.service.data_dir / PLACE.parent
    lock = await _only_indexer(folder)
    if lock is None:
        return
    from app.infrastructure.wiring.indexing import open_indexing  # noqa: PLC0415 - one that waits does not need it

    async with open_indexing(settings, _give_back_soon) as indexing:
        log.info("indexer runs", folder=str(folder), interval=settings.search.index_interval)
        freeze_loaded_objects()
        stopping = asyncio.Event()
        await run_with_background(indexing.keep(stopping), (indexing.follow(),), stopping.set, settings)
    lock.release()


def _give_back_soon(_: IndexFileFacts) -> None:
    """Hand memory back once the index stands on the file that was just written."""
    asyncio.get_running_loop().call_later(STANDS_AFTER, give_back)


async def _only_indexer(folder: Path) -> FileLock | None:
    """Be the only one of this folder, once the one before us has ended; None when our supervisor goes before that."""
    gone = asyncio.create_task(until_supervisor_gone())
    unwritable = logged_trouble(
        "no index file can be kept here: searches are answered, starts take longer", "an index file can be kept now"
    )
    lock, failures, waits = FileLock(folder / LOCK), 0, False
    try:
        while not gone.done():
            try:
                make_private_directory(folder)
                if lock.try_exclusive():
                    unwritable.note(None)
                    return lock
            except OSError as error:
                failures += 1
                unwritable.note(str(error))
                await asyncio.wait((gone,), timeout=RETRY.delay(failures))
                continue
            if not waits:
                log.info("another indexer keeps the index file, this one waits for its end", folder=str(folder))
            waits = True
            await asyncio.wait((gone,), timeout=TAKEOVER_SECONDS)
    finally:
        gone.cancel()
    return None
