"""How long a real database lets a key be believed, and what remembering many keys costs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, insert

from app.adapters.outbound.sql.access_schema import api_keys, users
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.api_keys import SqlApiKeys
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.users import SqlUsers
from app.application.authenticate import Authenticate
from app.domain.access import UnauthenticatedError
from app.domain.api_keys import digest_of
from tests.support.access_builders import a_key, a_user, created, key_text, user_id
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock

MANY = 10_000


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Database]:
    database = open_database("embedded", directory, timeout=5)
    try:
        yield database
    finally:
        await database.aclose()


@asynccontextmanager
async def watched(keys: SqlApiKeys) -> AsyncIterator[Authenticate]:
    authenticate = Authenticate(keys, FixedClock())
    watch = asyncio.create_task(authenticate.watch())
    try:
        yield authenticate
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def known(authenticate: Authenticate, text: str) -> None:
    while not authenticate.remembered(text):  # noqa: ASYNC110 - a test that waits for what runs beside it
        await asyncio.sleep(0.01)


async def test_while_long_questions_keep_all_their_threads_busy_a_revoked_key_is_refused_and_a_new_one_let_in(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as ours, opened(tmp_path) as another_process:
        metadata.create_all(ours.engine)
        await SqlUsers(ours).add(a_user(1), created(a_user(1)))
        elsewhere = SqlApiKeys(another_process)
        await elsewhere.add(a_key(1), NOW)
        async with watched(SqlApiKeys(ours)) as authenticate:
            await known(authenticate, key_text(1))
            busy = [asyncio.create_task(ours.read(lambda _: time.sleep(1.5))) for _ in range(16)]
            await asyncio.sleep(0.1)

            await elsewhere.revoke(user_id(1), a_key(1).key_id, NOW)
            await elsewhere.add(a_key(2), NOW)
            revoked_at, let_in = time.monotonic(), True
            while let_in and time.monotonic() < revoked_at + 5:
                await asyncio.sleep(0.02)
                let_in = authenticate.remembered(key_text(1)) is not None
            took = time.monotonic() - revoked_at
            async with asyncio.timeout(1):
                with pytest.raises(UnauthenticatedError, match="revoked"):
                    await authenticate(key_text(1))
                assert (await authenticate(key_text(2))).name == "user-1"

            assert not all(task.done() for task in busy)
            assert took < 1
            await asyncio.gather(*busy)


async def test_a_change_among_ten_thousand_keys_costs_the_event_loop_next_to_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        metadata.create_all(database.engine)
        await database.write(_add_many)
        keys = SqlApiKeys(database)
        async with watched(keys) as authenticate:
            await known(authenticate, key_text(MANY - 1))
            version = await keys.version()

            worst = [await _longest_turn_after_a_change(database, number) for number in range(3)]

            assert await keys.version() == version + 3
            await known(authenticate, key_text(0))
            assert min(worst) < _a_step_for_each()  # the others may have had the garbage collector in them


async def _longest_turn_after_a_change(database: Database, number: int) -> float:
    """Change something; say how many seconds of CPU the event loop then had no pause for."""
    user = a_user(MANY + number)
    await SqlUsers(database).add(user, created(user))
    longest, until = 0.0, time.monotonic() + 0.7
    while time.monotonic() < until:
        before = time.thread_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.thread_time() - before)
    return longest


def _a_step_for_each() -> float:
    """Say how many seconds of CPU this machine needs now for the least that could be done with each key."""
    before = time.thread_time()
    for number in range(MANY):
        digest_of(key_text(number))
    return time.thread_time() - before


def _add_many(connection: Connection) -> None:
    at = int((NOW - timedelta(days=1)).timestamp()) * 1_000_000
    absent = ("full_name", "deleted_at", "expires_at", "revoked_at", "last_used_at", "origins", "types")
    nothing = dict.fromkeys(absent)
    both = [
        nothing
        | {
            "user_id": UUID(int=number),
            "username": f"u{number}",
            "username_key": f"u{number}",
            "email": f"u{number}@x.org",
            "email_key": f"u{number}@x.org",
            "role": "reader",
            "is_active": True,
            "created_at": at,
            "updated_at": at,
            "version": 1,
            "key_id": f"{number:010}",
            "name": "",
            "digest": digest_of(key_text(number)),
        }
        for number in range(MANY)
    ]
    for table in (users, api_keys):
        names = [column.name for column in table.c]
        connection.execute(insert(table), [{name: row[name] for name in names} for row in both])
