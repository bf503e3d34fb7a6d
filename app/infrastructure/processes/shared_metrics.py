"""Where the API processes of one supervisor add up their counters (prometheus_client's multiprocess mode)."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.adapters.machine.private_files import make_private_directory
from app.infrastructure.processes.file_lock import FileLock

PRIVATE = 0o700
LOCK_TIMEOUT = 10.0
"""Seconds that one who starts waits for another who starts."""


IN_MEMORY = Path("/dev/shm")  # noqa: S108 - what lies in it is ours alone, or is not used
"""Where files are in memory, on Linux."""


def metrics_place(data_dir: Path, memory: Path = IN_MEMORY) -> Path:
    """Choose where such directories are made: in memory if that can be, else in the data directory.

    Counters are mapped files. On a disk that is full whoever counts something new is killed by SIGBUS.
    """
    ours = memory / f"marquee-{os.geteuid()}"
    try:
        if memory.is_dir():
            make_private_directory(ours)
        found = ours.lstat()
    except OSError:
        return data_dir / "metrics"
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == PRIVATE
    return ours if is_ours else data_dir / "metrics"


@contextmanager
def shared_metrics(parent: Path) -> Iterator[Mapping[str, str]]:
    """Make a fresh directory below `parent`, and remove it after; yields the environment of those who are to use it.

    One that a supervisor left behind that was killed goes too; those of supervisors that run stay.

    Raises:
        OSError: it cannot be made.
    """
    make_private_directory(parent)
    with FileLock(parent / "lock").exclusive(LOCK_TIMEOUT):
        for left in filter(Path.is_dir, parent.iterdir()):
            _remove_unless_used(left)
        directory = Path(tempfile.mkdtemp(dir=parent))
        used = FileLock(directory / "lock")
        used.try_exclusive()
    try:
        yield {"PROMETHEUS_MULTIPROC_DIR": str(directory)}
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        used.release()


def _remove_unless_used(directory: Path) -> None:
    lock = FileLock(directory / "lock")
    if lock.try_exclusive():
        shutil.rmtree(directory, ignore_errors=True)
        lock.release()
