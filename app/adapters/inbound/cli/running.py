"""Run one command's work; what the user can mend is said in one line, without a traceback."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import typer

from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.cli.saying import say
from app.adapters.inbound.reading.dates import InvalidDateError
from app.application.import_activities import ActivityFileError
from app.application.ports.copies import CopyError
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.domain.errors import DomainError

CoreT = TypeVar("CoreT")
T = TypeVar("T")

MISTAKES = (DomainError, InvalidDateError, UsageMistakeError)
"""What was asked for cannot be answered: exit code 2."""
TROUBLES = (LiveStateUnavailableError, HistoryUnavailableError, ActivityFileError, CopyError)
"""It might be later: exit code 1."""


def run(open_core: Callable[[], AbstractAsyncContextManager[CoreT]], work: Callable[[CoreT], Awaitable[T]]) -> T:
    """Open what a command needs, for as long as its work takes."""

    async def opened() -> T:
        async with open_core() as core:
            return await work(core)

    try:
        return asyncio.run(opened())
    except MISTAKES as error:
        raise stopped(error, 2) from None
    except TROUBLES as error:
        raise stopped(error, 1) from None


def stopped(error: Exception, code: int) -> typer.Exit:
    """Say why a command ends here."""
    say(f"marquee: {error}", err=True)
    return typer.Exit(code)
