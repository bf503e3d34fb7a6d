"""Locks on files that the kernel gives back when their holder dies, however it dies (flock(2))."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.02


class LockTimeoutError(Exception):
    """Somebody else kept the lock for longer than we wanted to wait."""


class FileLock:
    """A flock on a file of its own, which is made when it is missing and never removed.

    Letting go closes the file and does not unlock it: a process that inherited the open file keeps the lock. Child
    processes inherit it only when its number is handed to them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def fileno(self) -> int:
        """Give the open file's number, for handing it to a child process.

        Raises:
            ValueError: the lock is not held.
        """
        if self._file is None:
            raise ValueError(f"{self._path} is not locked by this object")
        return self._file

    @property
    def held(self) -> bool:
        """Whether this object holds the lock, shared or exclusive."""
        return self._file is not None

    def try_shared(self) -> bool:
        """Take the lock together with others, without waiting; False when somebody has it for himself.

        Raises:
            OSError: the file cannot be made or locked.
        """
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone, without waiting; False when anybody has it. What was held before is given up first.

        Raises:
            OSError: the file cannot be made or locked.
        """
        return self._try(fcntl.LOCK_EX)

    @contextmanager
    def exclusive(self, timeout_seconds: float) -> Iterator[None]:
        """Hold the lock alone while the block runs.

        Raises:
            LockTimeoutError: it was not free in time.
            OSError: the file cannot be made or locked.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                raise LockTimeoutError(f"{self._path} is locked by another process since {timeout_seconds:g} s")
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Let go. Safe to call twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _try(self, kind: int) -> bool:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        except OSError:
            self.release()
            raise
        return True
