"""QueuedActivities in Redis: the stream of the queue, and that of the dead letters."""

from collections.abc import AsyncIterator, Mapping, Sequence

from app.adapters.outbound.redis.activity_codec import UnreadableError, pack, pack_entry, unpack_entry
from app.adapters.outbound.redis.activity_queue import STREAM
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.dead_letters import DEAD
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.forgetting import QueuedActivities
from app.domain.activities import Activity, ActivityId
from app.domain.activity_columns import ActivityColumns
from app.domain.removal import ToRemove

_AT_ONCE = 20
"""Entries; each may be of a MB."""
_REPLACE = load_script("replace_letter")

_Entry = tuple[bytes, Mapping[bytes, bytes]]


class RedisQueuedActivities(QueuedActivities):
    """Reads the streams from their beginnings to their ends as they are now."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def ids_of(self, wanted: ToRemove) -> Sequence[ActivityId]:
        """Unpack every entry; those that a worker has in hand are in the stream as well."""
        found: list[ActivityId] = []
        async for _, fields in self._entries(STREAM):
            found += [one.activity_id for one in _activities(fields) if wanted.holds(one)]
        return found

    async def forget_letters(self, wanted: ToRemove) -> Sequence[ActivityId]:
        """Replace each letter that has one by a letter of the others; that is a new one, at the end."""
        found: list[ActivityId] = []
        async for letter_id, fields in self._entries(DEAD):
            activities = _activities(fields)
            gone = [one.activity_id for one in activities if wanted.holds(one)]
            if gone:
                await self._replace(letter_id, fields, [one for one in activities if not wanted.holds(one)])
                found += gone
        return found

    async def _replace(self, letter_id: bytes, fields: Mapping[bytes, bytes], kept: Sequence[Activity]) -> None:
        letter: list[bytes | str | float] = []
        if kept:
            packed = pack_entry([pack(ActivityColumns.of(kept))])
            letter = ["reason", fields[b"reason"], "entry", fields.get(b"entry", b""), "n", len(kept)]
            letter += ["b", len(packed), "d", packed]
        await self._client.run(_REPLACE, [DEAD], [letter_id, *letter])

    async def _entries(self, stream: str) -> AsyncIterator[_Entry]:
        last = await self._client.command("XREVRANGE", stream, "+", "-", "COUNT", 1)
        begin, end = b"-", last[0][0] if last else b"-"
        while last:
            entries = await self._client.command("XRANGE", stream, begin, end, "COUNT", _AT_ONCE)
            for entry_id, fields in entries:
                yield entry_id, fields
            if len(entries) < _AT_ONCE:
                return
            begin = b"(" + entries[-1][0]


def _activities(fields: Mapping[bytes, bytes]) -> ActivityColumns:
    """Read an entry; one that cannot be read names nobody whom we could find."""
    try:
        return unpack_entry(fields.get(b"d", b""))
    except UnreadableError:
        return ActivityColumns.of(())
