"""How the processes of a supervisor notice its end, be it a kill -9: the lifeline.

The supervisor alone holds the write end of a pipe and never writes. Each child holds the read end, which reads as ended
once the supervisor is gone: the kernel closes what the dead had open.
"""

import asyncio
import os
import stat
from types import TracebackType
from typing import Self

LIFELINE_VARIABLE = "MARQUEE_SUPERVISOR_FD"
"""The environment variable with the number of the read end."""


class Lifeline:
    """The supervisor's side of the pipe, a context manager."""

    def __enter__(self) -> Self:
        self.read_end, self._write_end = os.pipe()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.read_end)
        os.close(self._write_end)


async def until_supervisor_gone() -> None:
    """Wait until the supervisor that started this process is gone; for ever when no supervisor did.

    May be awaited by several tasks at a time, on any event loop that watches files.
    """
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
    """Duplicate the lifeline, since a loop has one reader per number; None when there is none."""
    try:
        number = int(os.environ.get(LIFELINE_VARIABLE, ""))
        # The variable may outlive the pipe, in a grandchild that was not handed the file.
        return os.dup(number) if stat.S_ISFIFO(os.fstat(number).st_mode) else None
    except (ValueError, OSError):
        return None
