"""Where the API processes of one supervisor add up their counters (prometheus_client's multiprocess mode)."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.adapters.machine.private_files import make_private_directory
from app.infrastructure.processes.file_lock import FileLock

LOCK_TIMEOUT = 10.0
"""Seconds that one who starts waits for another who starts."""


@contextmanager
def shared_metrics(data_dir: Path) -> Iterator[Mapping[str, str]]:
    """Make a fresh directory below `metrics`, and remove it after; yields the environment of those who are to use it.

    One that a supervisor left behind that was killed goes too; those of supervisors that run stay.

    Raises:
        OSError: it cannot be made.
    """
    parent = data_dir / "metrics"
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
