"""Backups of an installation: what is (Redis) first, then what has been (SQL), so that the history is never the older.

What Redis hands out again is known to the history by its id and changes nothing; what only Redis had settled would be
lost if the history were the older one.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from app.adapters.machine.forget_list import ForgetFile
from app.adapters.machine.index_place import PLACE
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.sql.database import SQLITE
from app.adapters.outbound.sql.history_copy import SqlHistoryCopy
from app.adapters.outbound.sql.migrate import newest
from app.application.ports.copies import BackupPart, Backups, CopyError
from app.application.ports.system import Clock
from app.infrastructure.backup import history_part, manifest, redis_part
from app.infrastructure.backup.history_copying import history_file, log_warnings_only, opened
from app.infrastructure.embedded_redis.embedded_redis import embedded_redis
from app.infrastructure.processes.file_lock import FileLock
from app.infrastructure.settings.settings import Settings
from app.infrastructure.version import VERSION
from app.infrastructure.wiring.open_container import open_container

_NO_REDIS = (
    "redis.url names a server, which is not in this backup: have it backed up by its own means before the history, "
    "never after, for its queue holds what was promised and is not stored yet"
)


class InstallationBackups(Backups):
    """Backups of what the settings describe; a PostgreSQL becomes a file of SQLite, and can be filled from one."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._data = settings.service.data_dir

    async def back_up(self, folder: Path) -> Sequence[BackupPart]:
        """See Backups."""
        await asyncio.to_thread(_take_folder, folder)
        began = self._clock.now()
        redis, server = await self._save_redis(folder)
        schema, history = await self._save_history(folder)
        await asyncio.to_thread(self._write_manifest, folder, began, schema, server)
        return redis, history

    async def _save_redis(self, folder: Path) -> tuple[BackupPart, str | None]:
        embedded = embedded_redis(self._settings)
        if embedded is None:
            return BackupPart("redis", _NO_REDIS, is_there=False), None
        file, server = await asyncio.to_thread(redis_part.save_redis, embedded, self._data, folder)
        keys = await asyncio.to_thread(redis_part.count_keys, file)
        return BackupPart("redis", f"{keys:,} keys of {server}, read back", is_there=True), server

    async def _save_history(self, folder: Path) -> tuple[str, BackupPart]:
        source, target = history_file(self._settings, self._settings.database.url), folder / history_part.FILE
        if source is None:
            await self._copy(self._settings.database.url, f"{SQLITE}{target}")
        elif source.exists():
            await asyncio.to_thread(history_part.save_history, source, target)
        else:
            raise CopyError(f"there is no history in {source}")
        schema, activities = await asyncio.to_thread(history_part.check_history, target)
        return schema, BackupPart("history", f"{activities:,} activities, checked", is_there=True)

    def _write_manifest(self, folder: Path, began: datetime, schema: str, server: str | None) -> None:
        manifest.write_manifest(
            folder,
            manifest.Manifest(
                made_at=began.isoformat(),
                version=VERSION,
                schema=schema,
                history=manifest.part_of(folder / history_part.FILE),
                redis=manifest.part_of(folder / redis_part.FILE) if server else None,
                redis_server=server,
            ),
        )

    async def restore(self, folder: Path, *, keep_webhooks: bool, force: bool) -> Sequence[BackupPart]:
        """See Backups."""
        found = await asyncio.to_thread(manifest.read_manifest, folder)
        manifest.own_folder(self._data)
        with self._nobody_else():
            aside = await asyncio.to_thread(self._make_room, force)
            prepared = manifest.copy_file(folder / history_part.FILE, self._data / "history.restoring")
            try:
                schema, activities = await asyncio.to_thread(history_part.check_history, prepared)
                off = [] if keep_webhooks else await asyncio.to_thread(history_part.switch_webhooks_off, prepared)
                redis = await asyncio.to_thread(self._restore_redis, folder, found)
                (self._data / PLACE).unlink(missing_ok=True)  # it says what was; the next indexer writes another
                await self._restore_history(prepared, schema)
            finally:
                prepared.unlink(missing_ok=True)
            forgotten = await self._forget_again()
        return redis, _told_history(activities, off), *forgotten, *aside

    async def _forget_again(self) -> Sequence[BackupPart]:
        """Forget what was forgotten after the backup was made: the list of it lies in the data directory."""
        if not await asyncio.to_thread(ForgetFile(self._data).entries):
            return ()
        async with open_container(self._settings, "cli", live_state=False) as container:
            activities = await container.forget_again()()
        note = f"{activities:,} activities that had been forgotten are forgotten again"
        return (BackupPart("forgotten", note, is_there=True),)

    @contextmanager
    def _nobody_else(self) -> Iterator[None]:
        """Keep every service away from the data directory while the block runs.

        Raises:
            CopyError: one is there.
        """
        runs = CopyError(f"a service runs on {self._data}: stop it first")
        if self._settings.database.url == "embedded" and history_part.is_in_use(self._data / history_part.FILE):
            raise runs
        if self._settings.redis.url != "embedded":
            yield
            return
        folder = manifest.own_folder(self._data / "redis")
        locks = [FileLock(folder / name) for name in ("start.lock", "users.lock", "server.lock")]
        try:
            if not all(lock.try_exclusive() for lock in locks):
                raise runs
            yield
        finally:
            for lock in locks:
                lock.release()

    def _make_room(self, force: bool) -> Sequence[BackupPart]:
        there = [path for path in self._own_files() if path.exists()]
        if not there:
            return ()
        if not force:
            raise CopyError(f"{there[0]} is in the way: --force moves what lies there aside")
        aside = manifest.own_folder(self._data / f"replaced-{self._clock.now():%Y%m%dT%H%M%SZ}")
        manifest.own_folder(aside / "redis")
        for path in there:
            path.rename(aside / path.relative_to(self._data))
        return (BackupPart("replaced", f"what lay there is in {aside} now: remove it when all is well", is_there=True),)

    def _own_files(self) -> Iterator[Path]:
        """Name what a service finds at its start."""
        if self._settings.database.url == "embedded":
            yield from (self._data / f"{history_part.FILE}{end}" for end in ("", "-wal", "-shm", "-journal"))
        if self._settings.redis.url == "embedded":
            with suppress(FileNotFoundError):
                for path in (self._data / "redis").iterdir():
                    if path.suffix != ".lock":
                        yield path

    def _restore_redis(self, folder: Path, found: manifest.Manifest) -> BackupPart:
        if found.redis is None:
            note = "not in the backup: it is filled from the history at the start, its queue begins empty"
            return BackupPart("redis", note, is_there=False)
        if self._settings.redis.url != "embedded":
            return BackupPart("redis", "redis.url names a server: its part of the backup is left out", is_there=False)
        manifest.copy_file(folder / redis_part.FILE, manifest.own_folder(self._data / "redis") / redis_part.RESTORED)
        return BackupPart("redis", f"as of {found.made_at}", is_there=True)

    async def _restore_history(self, prepared: Path, schema: str) -> None:
        target = history_file(self._settings, self._settings.database.url)
        if target is not None:
            await asyncio.to_thread(prepared.rename, target)
            return
        if schema != newest():
            raise CopyError(
                f"the backup has the schema {schema}: only one of {newest()} can be put into PostgreSQL; restore it as "
                "a file with database.url: embedded first, which brings it to that"
            )
        await self._copy(f"{SQLITE}{prepared}", self._settings.database.url)

    async def _copy(self, source: str, target: str) -> None:
        async with opened(self._settings, source) as one, opened(self._settings, target) as other:
            await SqlHistoryCopy(one, other)()


def _take_folder(folder: Path) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CopyError(f"{folder} is not empty: name a directory that is, or that is not there yet")
        manifest.own_folder(folder)
    except OSError as error:
        raise CopyError(f"{folder} cannot hold a backup: {error.strerror}") from None


@asynccontextmanager
async def open_backups(settings: Settings) -> AsyncIterator[Backups]:
    """Open the way of an installation into a directory and back; each step opens what it needs."""
    log_warnings_only(settings)
    yield InstallationBackups(settings, SystemClock())


def _told_history(activities: int, off: Sequence[str]) -> BackupPart:
    note = f"{activities:,} activities"
    if off:
        note += f"; switched off: {', '.join(off)} (`marquee webhooks enable NAME`, once nobody else sends for it)"
    return BackupPart("history", note, is_there=True)
