"""The embedded Redis in a backup: its data at one instant, as Redis writes them, and tried out by reading them.

A restored copy lies there as an append-only file that consists of its beginning alone: every server reads that.
"""

import shutil
import time
from contextlib import closing
from pathlib import Path

import redis

from app.application.ports.copies import CopyError
from app.infrastructure.backup.manifest import copy_file, own_folder
from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.processes.file_lock import POLL_SECONDS

FILE = "redis.rdb"
RESTORED = "appendonly.aof"
_SAVE_SECONDS = 600.0


def save_redis(embedded: EmbeddedRedis, data_dir: Path, folder: Path) -> tuple[Path, str]:
    """Have the server write all that it holds, and take that into the folder; the copy, and which server it is.

    Raises:
        CopyError: the server cannot write it.
        EmbeddedRedisError: there is no server.
    """
    with embedded, closing(redis.Redis.from_url(embedded.url, decode_responses=True)) as client:
        written = data_dir / "redis" / str(client.config_get("dbfilename")["dbfilename"])
        written.unlink(missing_ok=True)  # it appears when it is whole; the server reads its append-only file
        try:
            client.bgsave(schedule=True)
            _await_save(client, written)
            return copy_file(written, folder / FILE), server_of(client)
        except redis.RedisError as error:
            raise CopyError(f"the embedded Redis cannot write a copy: {error}") from None
        finally:
            written.unlink(missing_ok=True)


def server_of(client: "redis.Redis") -> str:
    """Say which server this is, and its version."""
    said = client.info("server")
    kind = "valkey" if "valkey_version" in said else "redis"
    return f"{kind} {said[f'{kind}_version']}"


def count_keys(file: Path) -> int:
    """Read a copy with a server of its own, beside it, and say how many keys it has.

    Raises:
        EmbeddedRedisError: the server refuses it.
    """
    scratch = own_folder(file.parent / "trial")
    try:
        copy_file(file, own_folder(scratch / "redis") / RESTORED)
        with (
            EmbeddedRedis(scratch) as trial,
            closing(redis.Redis.from_url(trial.url)) as client,
        ):
            return int(client.dbsize())
    finally:
        shutil.rmtree(scratch)


def _await_save(client: "redis.Redis", written: Path) -> None:
    deadline = time.monotonic() + _SAVE_SECONDS
    while not written.exists():
        said = client.info("persistence")
        idle = not said["rdb_bgsave_in_progress"] and not said.get("aof_rewrite_in_progress")
        if idle and said["rdb_last_bgsave_status"] != "ok":
            raise CopyError("the embedded Redis could not write a copy (is the disk full?): redis.log says why")
        if time.monotonic() > deadline:
            raise CopyError(f"the embedded Redis did not write a copy within {_SAVE_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
