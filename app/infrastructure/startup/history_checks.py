"""Startup checks of the history, and what is brought back or made there before a process works."""

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from app.application.ports.forgetting import ForgetListError
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.infrastructure.settings.settings import Settings

if TYPE_CHECKING:
    from app.infrastructure.wiring.container import Container

log = structlog.get_logger()


def warn_of_lonely_history(settings: Settings) -> None:
    """Say that processes of other machines will not see this history; Redis they share."""
    if settings.database.url == "embedded" and settings.redis.url != "embedded":
        log.warning(
            "redis.url is a server, but the history is a file of this machine: processes elsewhere have one of their "
            "own; set database.url when there are several machines"
        )


async def warn_of_unused_history(container: "Container") -> None:
    """Say that a file of the embedded history lies there unused, while the database that is used instead is empty."""
    from app.adapters.outbound.sql.database import FILE  # noqa: PLC0415 - the supervisor does not load it
    from app.adapters.outbound.sql.emptiness import count_in_file, is_empty  # noqa: PLC0415 - the same

    settings = container.settings()
    file = settings.service.data_dir / FILE
    if settings.database.url == "embedded" or not file.exists():
        return
    try:
        unused = await asyncio.to_thread(count_in_file, file)
        if unused and await is_empty(container.database()):
            log.warning(
                "the database is empty, and a history file lies beside it that is not used: to bring it over, stop the "
                "service before it fills the database, and `marquee history copy --from embedded --to` with the URL of "
                "an empty one; else move the file away",
                database=container.database().name,
                file=str(file),
                activities_and_states=unused,
            )
    except HistoryUnavailableError as error:
        log.warning("whether the database is empty cannot be told now", reason=str(error))


async def restore_what_was_lost(container: "Container") -> None:
    """Bring back what a Redis that came back empty lost, before the first sync takes every plan for a new one."""
    from app.adapters.inbound.worker.journal_loop import log_restoration  # noqa: PLC0415 - the supervisor does not

    try:
        for done in await container.restore_catalog().if_lost():
            log_restoration(done)
    except (LiveStateUnavailableError, HistoryUnavailableError) as error:
        log.warning("whether the catalog lost plans cannot be told now; the journal's writer will", reason=str(error))


async def forget_again(container: "Container") -> None:
    """See that a database that was set back forgets whom it did not know as forgotten, before anybody works on it."""
    try:
        activities = await container.forget_again()()
    except (HistoryUnavailableError, ForgetListError) as error:
        log.warning("whether the database has forgotten all that it should cannot be told now", reason=str(error))
        return
    if activities:
        log.warning("the database was set back; what had been forgotten was forgotten again", activities=activities)


async def warn_of_days(container: "Container") -> None:
    """Say what is to be known of the days that the stats count, for instance that they are to be counted anew."""
    with suppress(HistoryUnavailableError):
        trouble = await container.stats_keeper().trouble()
        if trouble:
            log.warning("the stats count days by other rules than this process's", reason=trouble)


async def let_history_shrink(container: "Container") -> None:
    """See that the disk can be given back where activities leave: once, for a file of an older version."""
    if container.settings().activity.keep_days is None:
        return
    try:
        if await container.database().make_shrinkable():
            log.info("the history file was rewritten, so that it can become shorter when activities leave")
    except HistoryUnavailableError as error:
        log.warning("the history file does not become shorter when activities leave", reason=str(error))


async def let_first_admin_in(container: "Container") -> None:
    """Show the first admin's key on the terminal, once and for all; never in the log."""
    try:
        key = await container.let_first_admin_in()()
    except HistoryUnavailableError as error:
        log.warning("whether there is an admin cannot be told now; the next start will see", reason=str(error))
        return
    if key:
        sys.stdout.write(
            f"The first admin's key, shown this once (`marquee keys create admin` makes another):\n  {key}\n"
        )
        sys.stdout.flush()
