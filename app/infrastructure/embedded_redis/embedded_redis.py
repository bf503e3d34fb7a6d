"""The embedded Redis: one server per data directory, there as long as any process of ours uses it.

Two locks rule its life. Whoever starts or stops the server holds `start.lock` alone. Whoever uses it shares
`users.lock`; who leaves and can then take it alone was the last one and shuts the server down. The kernel gives back
the locks of a process that was killed, so there is no count that could be wrong.
"""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import structlog

from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError
from app.infrastructure.embedded_redis.redis_directory import make_redis_directory, socket_path
from app.infrastructure.embedded_redis.redis_server import RedisOptions, RedisServer
from app.infrastructure.processes.file_lock import POLL_SECONDS, FileLock, LockTimeoutError

if TYPE_CHECKING:
    from app.infrastructure.settings.settings import Settings

log = structlog.get_logger()

_PROGRESS_SECONDS = 2.0
_DEFAULTS = RedisOptions()


class EmbeddedRedis:
    """A share in the Redis of a data directory. A context manager: enter starts, exit stops.

    The options of the process that starts the server count; those of later users do not. Methods block; in a running
    event loop call them in a thread. No two of them may run at a time.
    """

    def __init__(self, data_dir: Path, options: RedisOptions = _DEFAULTS) -> None:
        self._data_dir = data_dir
        self._options = options
        self._directory = (data_dir / "redis").resolve()
        self._socket = socket_path(self._directory)
        self._server = RedisServer(self._directory, self._socket, options)
        self._starting = FileLock(self._directory / "start.lock")
        self._using = FileLock(self._directory / "users.lock")
        self._end_told = False
        self._giving_up = threading.Event()

    @property
    def url(self) -> str:
        """Where the server is (`unix:///...`), known before it runs."""
        return f"unix://{quote(str(self._socket))}"

    def start(self) -> None:
        """Join the users; start the server when it does not run; wait until it has read its data.

        Raises:
            EmbeddedRedisError: it cannot be, or `give_up` was called; this process is no user then.
        """
        if self._using.held:
            return
        make_redis_directory(self._data_dir)
        try:
            self._bring_up(joining=True)
            self._wait_until_loaded()
        except BaseException:
            self.stop()
            raise

    def give_up(self) -> None:
        """Let a `start` in another thread end soon, with an error. A server that nobody else uses ends with it."""
        self._giving_up.set()

    def stop(self) -> None:
        """Leave; the last one to leave shuts the server down and waits until it is gone. Safe to call twice."""
        if not self._using.held:
            return
        try:
            with self._starting.exclusive(self._options.starting_seconds):
                if self._using.try_exclusive():
                    self._shut_down()
        except LockTimeoutError as error:
            log.warning("left redis without a look at whether others use it", reason=str(error))
        finally:
            self._using.release()

    def ensure(self) -> None:
        """Start the server anew when it died, with all the data it had promised to keep. Any user may, at any time.

        Raises:
            EmbeddedRedisError: it cannot be started, or it runs and does not answer; trying again later is right.
        """
        if not self._using.held:
            raise EmbeddedRedisError("This process does not use the embedded Redis: start() comes first.")
        if self._server.ask() is None:
            if not self._server.runs():
                self._tell_end()
            self._bring_up(joining=False)
        self._end_told = False

    def pid(self) -> int | None:
        """The process id of the server as it says itself; None when it does not answer."""
        answer = self._server.ask()
        return answer.pid if answer else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _tell_end(self) -> None:
        """Once for each server that ended, however often it cannot be started after: that is said as what it is."""
        if not self._end_told:
            log.warning(
                "redis ended by itself, it has to be started again", log_end=self._server.last_words(since_launch=False)
            )
        self._end_told = True

    def _bring_up(self, *, joining: bool) -> None:
        # Others may be at it: each of them has its time to start, and so have we.
        timeout = 2 * self._options.starting_seconds
        try:
            with self._starting.exclusive(timeout):
                if joining:
                    self._join()
                self._await_answer()
        except LockTimeoutError as error:
            raise EmbeddedRedisError(f"Another process does not finish starting or stopping Redis: {error}.") from error
        except OSError as error:
            raise EmbeddedRedisError(f"Redis could not be started in {self._directory}: {error}") from error

    def _join(self) -> None:
        if not self._using.try_shared():
            # Only the last to leave holds it alone, and only under start.lock, which is ours now.
            raise EmbeddedRedisError(f"{self._directory / 'users.lock'} is locked by something that is not Marquee.")

    def _await_answer(self) -> None:
        deadline = time.monotonic() + self._options.starting_seconds
        launched = False
        while (answer := self._server.ask()) is None:
            self._check_wanted()
            if self._server.runs():
                self._check_deadline(deadline)
                time.sleep(POLL_SECONDS)
            elif launched:
                raise EmbeddedRedisError(f"Redis ended while it started.{self._server.last_words()}")
            else:
                launched = self._server.launch()
        if launched:
            log.info("embedded redis started", pid=answer.pid, url=self.url)

    def _check_deadline(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise EmbeddedRedisError(
                f"The Redis of {self._directory} runs but does not answer on {self._socket} "
                f"(redis.pid beside the data says which process it is).{self._server.last_words(since_launch=False)}"
            )

    def _check_wanted(self) -> None:
        if self._giving_up.is_set():
            raise EmbeddedRedisError("The start of Redis was given up.")

    def _wait_until_loaded(self) -> None:
        deadline = time.monotonic() + self._options.loading_seconds
        told_at = time.monotonic() - _PROGRESS_SECONDS
        percent = 0.0
        while (answer := self._server.ask()) is None or answer.loading:
            self._check_wanted()
            percent = answer.loaded_percent if answer else percent
            if answer is None and not self._server.runs():
                raise EmbeddedRedisError(f"Redis ended while it read its data.{self._server.last_words()}")
            if time.monotonic() > deadline:
                raise EmbeddedRedisError(
                    f"Redis still reads its data after {self._options.loading_seconds:g} s ({percent:.0f}% done)."
                )
            if time.monotonic() - told_at >= _PROGRESS_SECONDS:
                log.info("redis reads its data", percent=round(percent))
                told_at = time.monotonic()
            time.sleep(POLL_SECONDS)

    def _shut_down(self) -> None:
        if not self._server.runs():
            return
        try:
            gone = self._server.shut_down()
        except EmbeddedRedisError as error:
            log.warning("redis was left alone", reason=str(error))
            return
        if gone:
            log.info("embedded redis stopped", data=str(self._directory))
        else:
            log.warning("redis does not end", data=str(self._directory), see="redis.log and redis.pid there")


def embedded_redis(settings: "Settings") -> EmbeddedRedis | None:
    """Make this process's share in the embedded Redis; None when the settings name a server."""
    if settings.redis.url != "embedded":
        return None
    options = RedisOptions(fsync=settings.redis.fsync, loading_seconds=settings.redis.start_timeout)
    return EmbeddedRedis(settings.service.data_dir, options)
