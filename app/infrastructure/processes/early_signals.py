"""A process that is told to end before it has begun: what it has started by then has to end with it."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.infrastructure.settings.start_errors import StartError


class ToldToEndError(StartError):
    """SIGTERM or SIGHUP came before the work had handlers of its own.

    `exit_code` is what the process is to end with.
    """

    def __init__(self, exit_code: int) -> None:
        """Say nothing, and end so."""
        super().__init__()  # without words: nobody needs to be told
        self.exit_code = exit_code


@contextmanager
def ended_by_signals(*, exit_code: int | None = None) -> Iterator[None]:
    """Let SIGTERM and SIGHUP cancel the task in the block, as Ctrl-C does by itself, so that it gives back what it has.

    Whoever sets handlers of his own meanwhile replaces them. In a thread other than the main one nothing is set.

    Args:
        exit_code: what the process ends with then; without one what shells say, 128 and the signal's number.

    Raises:
        ToldToEndError: one of them came.
    """
    told: list[signal.Signals] = []
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def tell(number: signal.Signals) -> None:
        told.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            asyncio.get_running_loop().add_signal_handler(number, tell, number)
    try:
        yield
    except asyncio.CancelledError:
        if not told:
            raise
        raise ToldToEndError(128 + told[0] if exit_code is None else exit_code) from None
