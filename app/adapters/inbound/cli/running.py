"""Run one command's work; what the user can mend is said in one line, without a traceback."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

import typer

from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.cli.saying import say
from app.adapters.inbound.reading.instants import InvalidTimeError
from app.application.import_activities import ActivityFileError
from app.application.ports.catalog import LeaseLostError
from app.application.ports.copies import CopyError
from app.application.ports.forgetting import ForgetListError
from app.application.ports.imports import UndoRefusedError
from app.application.ports.index_file import IndexFileError
from app.application.ports.period_stats import FigureIncompleteError
from app.application.ports.providers import FeedError
from app.application.ports.removal import FiguresIncompleteError
from app.application.ports.system import HistoryUnavailableError, LeaseTakenError, LiveStateUnavailableError
from app.application.ports.users import UserMovedError
from app.domain.errors import DomainError

CoreT = TypeVar("CoreT")
T = TypeVar("T")

Opener = Callable[[], AbstractAsyncContextManager[CoreT]]
"""Opens what commands work on, for as long as one of them runs."""


class TroubleError(Exception):
    """The machine does not let the command do its work now; the message says why, and what to do."""


MISTAKES = (DomainError, InvalidTimeError, UndoRefusedError, UsageMistakeError, UserMovedError)
"""What was asked for cannot be answered: exit code 2."""
TROUBLES = (
    LiveStateUnavailableError,
    HistoryUnavailableError,
    LeaseLostError,
    LeaseTakenError,
    ActivityFileError,
    CopyError,
    IndexFileError,
    FeedError,
    FigureIncompleteError,
    FiguresIncompleteError,
    ForgetListError,
    TroubleError,
)
"""It might be later: exit code 1."""


def run(open_parts: Opener[CoreT], work: Callable[[CoreT], Awaitable[T]]) -> T:
    """Open what a command needs, for as long as its work takes."""

    async def opened() -> T:
        async with open_parts() as core:
            return await work(core)

    with plainly():
        return asyncio.run(opened())


@contextmanager
def plainly() -> Iterator[None]:
    """End the command with one line and its exit code where the block raises one of the errors above."""
    try:
        yield
    except MISTAKES as error:
        raise stopped(error, 2) from None
    except TROUBLES as error:
        raise stopped(error, 1) from None


@contextmanager
def resumable() -> Iterator[None]:
    """Say that Ctrl-C has lost nothing: what the block does goes on from there when it is begun again."""
    try:
        yield
    except KeyboardInterrupt:
        raise stopped("stopped; the same command goes on from there", 1) from None


def stopped(why: Exception | str, code: int) -> typer.Exit:
    """Say why a command ends here."""
    say(f"marquee: {why}", err=True)
    return typer.Exit(code)
