"""ActivityInbox in Redis: a group of readers of the stream, each entry for one of them."""

import asyncio
import os
import re
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from redis.exceptions import ResponseError

from app.adapters.outbound.redis.activity_codec import UnreadableError, pack, pack_entry, unpack_entry
from app.adapters.outbound.redis.activity_queue import FIGURES, STREAM
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.dead_letters import DEAD
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.activities import ActivityInbox, QueuedBatch
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns

GROUP = "store"
"""The group of those who store activities. Other groups may read the stream; what they have not finished stays."""

_ENTRIES_AT_ONCE = 40
_FIRST_ENTRIES = 4
"""Fewer, until it is known how large they are."""
_BYTES_AT_ONCE = 8 * 1024 * 1024
"""About so much, packed, is taken at once, and at least one entry: memory must not follow what clients send."""
GATHERING = 0.1
"""Seconds between two reads, unless one finds as much as it may take: what comes meanwhile shares a transaction, which
costs as much as a hundred activities do. After a pause nothing waits."""
_START = "0-0"

_FINISHING = ("now_ms", "by_name", "finish")
_JOIN = load_script("join_group")
_TAKE_OVER = load_script("take_over")
_LEAVE = load_script("leave_group", "by_name")
_SETTLE = load_script("settle", *_FINISHING)
_BURY = load_script("bury", *_FINISHING)

# What Redis says when it lost the group, be it while we wait.
_GROUP_IS_GONE = re.compile("NOGROUP|UNBLOCKED")

_Entry = tuple[bytes, Mapping[bytes, bytes]]


class RedisActivityInbox(ActivityInbox):
    """One reader. Blocks for `block` seconds on `blocking`, a client of its own with a longer timeout.

    What another reader, or this one before an answer was lost, has left alone for `takeover` seconds is taken over.
    """

    def __init__(
        self,
        client: RedisClient,
        blocking: RedisClient,
        *,
        takeover: float = 30.0,
        block: float = 1.0,
        gathering: float = GATHERING,
    ) -> None:
        self._client = client
        self._blocking = blocking
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._takeover = takeover
        self._block_ms = max(1, round(block * 1000))
        self._gathering = gathering
        self._reads_at = 0.0
        self._entries = _FIRST_ENTRIES
        self._looks_again_at = 0.0
        self._looked_up_to = _START

    async def take(self) -> Sequence[QueuedBatch]:
        """Look for what was left behind, now and then; else wait for what is new."""
        await asyncio.sleep(max(0.0, self._reads_at - time.monotonic()))
        while True:
            try:
                entries = await self._left_behind() or await self._new()
            except ResponseError as error:
                if not _GROUP_IS_GONE.search(str(error)):
                    raise
                await self._client.run(_JOIN, [STREAM], [GROUP])
            else:
                return await self._readable(entries)

    async def settle(self, batches: Sequence[QueuedBatch]) -> None:
        """Acknowledge, count, trim the stream behind what every group has finished."""
        tokens = [part for batch in batches for part in batch.token.split()]
        if tokens:
            await self._client.run(_SETTLE, [STREAM, FIGURES, DEAD], [GROUP, *tokens])

    async def bury(self, batch: QueuedBatch, dead: Sequence[Activity], reason: str) -> None:
        """Write a letter and settle."""
        packed = pack_entry([pack(dead)])
        await self._bury(batch.token, len(dead), "reason", reason, "n", len(dead), "b", len(packed), "d", packed)

    async def aclose(self) -> None:
        """Take our name off the list of readers, unless we leave something behind. Waits no longer than a timeout."""
        with suppress(LiveStateUnavailableError):  # then somebody else will do it
            await self._leave(self._name)

    async def _left_behind(self) -> list[_Entry]:
        if time.monotonic() < self._looks_again_at:
            return []
        idle_ms = round(self._takeover * 1000)
        options = (GROUP, self._name, idle_ms, self._looked_up_to, self._entries)
        cursor, found = await self._client.run(_TAKE_OVER, [STREAM], options)
        self._looked_up_to = cursor.decode()
        if self._looked_up_to == _START:
            self._looks_again_at = time.monotonic() + self._takeover / 4
            await self._leave()
        return [(entry_id, dict(zip(fields[::2], fields[1::2], strict=True))) for entry_id, fields in found]

    async def _new(self) -> list[_Entry]:
        options = ("GROUP", GROUP, self._name, "COUNT", self._entries, "BLOCK", self._block_ms)
        reply = await self._blocking.command("XREADGROUP", *options, "STREAMS", STREAM, ">")
        found = [entry for _, entries in reply or () for entry in entries]
        is_all = 0 < len(found) < self._entries
        self._reads_at = time.monotonic() + self._gathering if is_all else 0.0
        return found

    async def _leave(self, name: str = "") -> None:
        """Remove the reader `name` and those of whom nothing was heard for long, if they have nothing in hand."""
        await self._client.run(_LEAVE, [STREAM], [GROUP, name, round(self._takeover * 10_000)])

    async def _readable(self, entries: Sequence[_Entry]) -> Sequence[QueuedBatch]:
        if entries:
            size = sum(len(fields.get(b"d", b"")) for _, fields in entries) // len(entries)
            self._entries = min(_ENTRIES_AT_ONCE, max(1, _BYTES_AT_ONCE // max(1, size)))
        batches: list[QueuedBatch] = []
        for entry_id, fields in entries:
            try:
                batches.append(QueuedBatch(_token(entry_id, fields), _activities(fields), _trace(fields)))
            except UnreadableError as error:
                raw = fields.get(b"d") or repr(fields).encode()
                dead = _count(fields, b"n")
                await self._bury(_token(entry_id, fields), dead, "reason", f"unreadable: {error}", "raw", raw)
        return batches

    async def _bury(self, token: str, dead: int, *letter: bytes | str | float) -> None:
        await self._client.run(_BURY, [STREAM, FIGURES, DEAD], [GROUP, *token.split(), dead, *letter])


def _token(entry_id: bytes, fields: Mapping[bytes, bytes]) -> str:
    """All that settling has to know: the entry's id, and by how much it shortens the backlog."""
    return f"{entry_id.decode()} {_count(fields, b'n')} {_count(fields, b'b')}"


def _count(fields: Mapping[bytes, bytes], name: bytes) -> int:
    """Read a number; 0 in an entry that is none of ours."""
    digits = fields.get(name, b"")
    return int(digits) if digits.isdigit() and len(digits) < 16 else 0  # noqa: PLR2004 - more Lua cannot count


def _trace(fields: Mapping[bytes, bytes]) -> str | None:
    noted = fields.get(b"t")
    return noted.decode("ascii", errors="replace") if noted else None


def _activities(fields: Mapping[bytes, bytes]) -> ActivityColumns:
    if b"d" not in fields:
        raise UnreadableError("it has no field d")
    activities = unpack_entry(fields[b"d"])
    return _without(activities, fields[b"skip"]) if b"skip" in fields else activities


def _without(activities: ActivityColumns, positions: bytes) -> ActivityColumns:
    try:
        duplicates = {int(position) for position in positions.split(b",")}
    except ValueError as error:
        raise UnreadableError(f"its duplicates are {positions[:50]!r}") from error
    return activities.chosen([position for position in range(len(activities)) if position not in duplicates])
