"""Undo import 1 of the history at URL (or `embedded`, in DIRECTORY), or forget a user: `undo`, or `forget NAME`."""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from app.adapters.machine.forget_list import ForgetFile
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.forgotten_names import SqlForgottenNames
from app.adapters.outbound.sql.imports import SqlImports
from app.application.forget import Forget
from app.application.undo_import import UndoImport
from app.domain.removal import ToRemove
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.forgetting import MemoryQueuedActivities, MemoryToldActivities
from tests.fakes.recent_ids import MemoryRecentIds
from tests.fakes.refused_samples import MemoryRefusedSamples
from tests.support.activity_backends import SqlActivityBackend

STEP = 20
"""Activities: there are many steps, so that a kill comes between some of them, or within one."""


async def remove(url: str, directory: Path, what: str, name: str = "") -> None:
    database = open_database(url, directory, timeout=5)
    removal, stream = SqlActivityBackend(database).removal(step=STEP), MemoryActivityStream()
    if what == "undo":
        await UndoImport(SqlImports(database), removal, MemoryRecentIds(stream))(1)
    else:
        forget = Forget(
            ForgetFile(directory),
            SqlForgottenNames(database),
            MemoryQueuedActivities(stream),
            MemoryRefusedSamples(stream.store),
            MemoryToldActivities(),
            removal,
            SystemClock(),
            uuid4,
        )
        await forget(ToRemove(users=frozenset({name})))
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(remove(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
