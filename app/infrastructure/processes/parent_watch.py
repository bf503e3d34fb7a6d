"""The parent watch: how the processes of a supervisor notice its end, be it a kill -9.

The supervisor alone holds the write end of a pipe and never writes. Each child holds the read end, which reads as ended
once the supervisor is gone: the kernel closes what the dead had open.
"""

import os
import select
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PARENT_WATCH_VARIABLE = "MARQUEE_SUPERVISOR_FD"
"""The environment variable with the number of the read end."""

_LOOK_SECONDS = 0.05


def has_supervisor() -> bool:
    """Whether a supervisor started this process, and does for all its children what has to be done once."""
    return PARENT_WATCH_VARIABLE in os.environ


@contextmanager
def parent_watch() -> Iterator[int]:
    """Make the supervisor's side of the pipe; yields the read end, for its children."""
    read_end, write_end = os.pipe()
    try:
        yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


@contextmanager
def ended_with_supervisor() -> Iterator[None]:
    """End this process at once, and with it what it inherited, when its supervisor goes while the block runs.

    For the loading of code: it takes seconds on a busy machine, and the next supervisor waits for the address.
    """
    read_end = _read_end()
    if read_end is None:
        yield
        return
    loaded = threading.Event()
    watch = threading.Thread(target=_end_when_gone, args=(read_end, loaded), daemon=True)
    watch.start()
    try:
        yield
    finally:
        loaded.set()
        watch.join()
        os.close(read_end)


def _end_when_gone(read_end: int, loaded: threading.Event) -> None:
    while True:
        if select.select([read_end], [], [], 0)[0]:
            os._exit(1)
        if loaded.wait(_LOOK_SECONDS):
            return


async def until_supervisor_gone() -> None:
    """Wait until the supervisor that started this process is gone; for ever when no supervisor did.

    May be awaited by several tasks at a time, on any event loop that watches files.
    """
    import asyncio  # noqa: PLC0415 - `marquee --help` needs none of it, and begins with this module

    read_end = _read_end()
    if read_end is None:
        await asyncio.Event().wait()
        return
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(read_end, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(read_end)
        os.close(read_end)


def _read_end() -> int | None:
    """Duplicate the read end, since a loop has one reader per number; None when there is none."""
    try:
        number = int(os.environ.get(PARENT_WATCH_VARIABLE, ""))
        # The variable may outlive the pipe, in a grandchild that was not handed the file.
        return os.dup(number) if stat.S_ISFIFO(os.fstat(number).st_mode) else None
    except (ValueError, OSError):
        return None
