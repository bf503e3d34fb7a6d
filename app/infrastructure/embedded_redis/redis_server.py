"""One process of a server (Valkey or Redis) over one directory: launched, asked, shut down. When: embedded_redis.py."""

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from app.infrastructure.embedded_redis import redis_binary
from app.infrastructure.embedded_redis.plain_redis import PlainRedis, ResponseError
from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError
from app.infrastructure.embedded_redis.redis_directory import close_files, make_socket_directory, require_room
from app.infrastructure.embedded_redis.server_version import name_writer, written_by
from app.infrastructure.processes.file_lock import POLL_SECONDS, FileLock

log = structlog.get_logger()

_ANSWER_SECONDS = 2.0
_LOG_LINES = 10
_UMASK = 0o077
"""What the server makes is for us alone, whatever our own umask is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """How the embedded Redis is to run. Durations are seconds."""

    fsync: Literal["always", "everysec"] = "always"
    """`always`: what was answered is on the disk; `everysec`: a power cut may cost the last second."""
    binary: Path | None = None
    """The server to run; None looks for one."""
    starting_seconds: float = 10.0
    """How long a server may take until it answers at all, and until it has ended when it is to end."""
    loading_seconds: float = 300.0
    """How long it may then read what it holds."""
    minimum_free_bytes: int = 16 * 1024 * 1024
    """With less room than this on the disk no server is started."""
    further: Mapping[str, str] = field(default_factory=dict)
    """Other directives of redis.conf, by name."""


@dataclass(frozen=True, slots=True)
class RedisAnswer:
    """What a server says of itself."""

    pid: int | None
    """None when it is too busy (a long script) to say."""
    loading: bool
    """Whether it still reads its data; until then it refuses commands."""
    loaded_percent: float


class RedisServer:
    """The server of a directory (made by `make_redis_directory`).

    The server process itself holds an exclusive flock on `server.lock`, inherited from whoever launched it. So whether
    one runs is known for certain, without a look at pid files, sockets or process lists, all of which go stale, and
    two servers can never write the same files.
    """

    def __init__(self, directory: Path, socket: Path, options: RedisOptions) -> None:
        self._directory = directory
        self._socket = socket
        self._options = options
        self._client = PlainRedis(socket, _ANSWER_SECONDS)
        self._log_file = directory / "redis.log"
        self._log_begin = 0

    def runs(self) -> bool:
        """Whether the server process lives, answering or not."""
        lock = FileLock(self._directory / "server.lock")
        free = lock.try_shared()
        lock.release()
        return not free

    def launch(self) -> bool:
        """Start the server process and do not wait for its answer; False when one runs already.

        Raises:
            EmbeddedRedisError: no program, none that reads the data, no room, or it did not accept its options.
            OSError: the directory cannot be used.
        """
        require_room(self._directory, self._options.minimum_free_bytes)
        if self._socket.parent != self._directory:
            make_socket_directory(self._socket)
        binary = self._binary()
        lock = FileLock(self._directory / "server.lock")
        if not lock.try_exclusive():
            return False
        try:
            self._log_begin = self._log_file.stat().st_size if self._log_file.exists() else 0
            close_files(self._directory)
            name_writer(self._directory, binary.server)
            self._spawn(binary.path, lock.fileno())
        finally:
            lock.release()
        return True

    def ask(self) -> RedisAnswer | None:
        """Ask the server how it is; None when it does not answer.

        Raises:
            EmbeddedRedisError: the one that answers works in another directory.
        """
        if not self._socket.exists():
            return None
        try:
            info = self._client.info()
            where = self._client.config_get("dir")["dir"]
        except OSError:
            return None
        except ResponseError:  # BUSY: a script runs for long
            return RedisAnswer(None, loading=False, loaded_percent=100)
        if Path(where).resolve() != self._directory:
            raise EmbeddedRedisError(
                f"{self._socket} belongs to another Redis, which works in {where}: end that one first."
            )
        return RedisAnswer(int(info["process_id"]), info["loading"] != "0", float(info.get("loading_loaded_perc", 100)))

    def shut_down(self) -> bool:
        """Have the server write everything to the disk and end; False when it still runs after `starting_seconds`."""
        deadline = time.monotonic() + self._options.starting_seconds
        asked = False
        while self.runs():
            if time.monotonic() > deadline:
                return False
            if not asked and self.ask():  # not before it has told that it is ours
                asked = self._send_shutdown()
            time.sleep(POLL_SECONDS)
        return True

    def last_words(self, *, since_launch: bool = True) -> str:
        """The end of the server's log, to be put behind a message; empty when it said nothing."""
        try:
            with self._log_file.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(self._log_begin if since_launch else 0, size - 8192))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return "".join(f"\n  {line}" for line in lines[-_LOG_LINES:])

    def _binary(self) -> redis_binary.RedisBinary:
        """Find one that reads what is there: an older one may start empty beside it, another one end or ruin it."""
        written = written_by(self._directory)
        if self._options.binary is None:
            return redis_binary.find_redis_binary(written, where=str(self._directory))
        binary = redis_binary.read_version(self._options.binary)
        if written and not binary.server.reads(written):
            raise EmbeddedRedisError(redis_binary.cannot_read([binary], written, str(self._directory)))
        return binary

    def _spawn(self, binary: Path, lock: int) -> None:
        """Run the server, which goes to the background in a session of its own: Ctrl-C is not for it."""
        arguments = [part for name, value in self._directives().items() for part in (f"--{name}", value)]
        try:
            done = subprocess.run(  # noqa: S603 - the program that was found, no shell
                [binary, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
                umask=_UMASK,
                timeout=self._options.starting_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EmbeddedRedisError(f"{binary} did not start within {self._options.starting_seconds:g} s.") from None
        if done.returncode:
            words = done.stdout.decode(errors="replace").strip() or self.last_words()
            raise EmbeddedRedisError(f"{binary} did not start (exit code {done.returncode}): {words}")

    def _directives(self) -> dict[str, str]:
        return {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "daemonize": "yes",
            "pidfile": str(self._directory / "redis.pid"),  # for people; nothing here believes it
            "dir": str(self._directory),
            "logfile": str(self._log_file),
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._options.fsync,
            "aof-load-truncated": "yes",
            "maxmemory-policy": "noeviction",
            "lazyfree-lazy-expire": "yes",  # a set of a million ids is not freed while everybody waits
            **self._options.further,
        }

    def _send_shutdown(self) -> bool:
        reason = "SHUTDOWN seems to have failed"
        try:
            self._client.command("SHUTDOWN", "NOSAVE")  # the AOF is written and fsynced in any case
        except (ResponseError, TimeoutError) as error:
            reason = str(error)
        except OSError:
            return True  # its answer is to end the connection
        log.debug("redis did not take the shutdown", reason=reason)
        return False
