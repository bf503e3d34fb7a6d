"""DeadLetters in Redis: a stream of its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from app.adapters.outbound.redis.activity_codec import UnreadableError, unpack_entry
from app.adapters.outbound.redis.activity_queue import ACTIVITIES, FIGURES, STREAM
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.activities import DeadLetter, DeadLetters

DEAD = f"{ACTIVITIES}:dead"
"""A stream, whose ids say when. An entry is a letter: `reason`; `entry`, the id that it had in the queue; and either
`d`, `n` and `b` as in an entry of the queue, or `raw`, what stood there and could not be read."""

_SHOWN = 200
_LARGEST_PART = 2**64

_RETRY = load_script("retry_letter", "by_name")


class RedisDeadLetters(DeadLetters):
    """What RedisActivityInbox buried."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def list(self, limit: int) -> Sequence[DeadLetter]:
        """Read the beginning of the stream."""
        if limit <= 0:
            return ()
        letters = await self._client.command("XRANGE", DEAD, "-", "+", "COUNT", limit)
        return [_letter(letter_id.decode(), fields) for letter_id, fields in letters]

    async def retry(self, letter_ids: Collection[str]) -> int:
        """Run a script for each."""
        keys = [DEAD, STREAM, FIGURES]
        return sum([await self._client.run(_RETRY, keys, [letter_id]) for letter_id in _possible(letter_ids)])

    async def drop(self, letter_ids: Collection[str]) -> int:
        """Delete them together."""
        possible = _possible(letter_ids)
        return int(await self._client.command("XDEL", DEAD, *possible)) if possible else 0


def _possible(letter_ids: Collection[str]) -> Sequence[str]:
    """Leave out what can be no id: Redis would refuse all of them for it."""
    return [letter_id for letter_id in letter_ids if _is_possible(letter_id)]


def _is_possible(letter_id: str) -> bool:
    parts = letter_id.split("-")
    return len(parts) == 2 and all(  # noqa: PLR2004 - milliseconds and a number
        part.isascii() and part.isdigit() and int(part) < _LARGEST_PART for part in parts
    )


def _letter(letter_id: str, fields: Mapping[bytes, bytes]) -> DeadLetter:
    buried_at = datetime.fromtimestamp(int(letter_id.partition("-")[0]) / 1000, UTC)
    reason = fields[b"reason"].decode(errors="replace")
    stored = fields.get(b"d")
    if stored is None:
        return DeadLetter(letter_id, buried_at, reason, (), _shown(fields[b"raw"]))
    try:
        return DeadLetter(letter_id, buried_at, reason, list(unpack_entry(stored)))
    except UnreadableError:
        return DeadLetter(letter_id, buried_at, reason, (), _shown(stored))


def _shown(source: bytes) -> str:
    """Show the beginning of bytes of any kind."""
    return source[:_SHOWN].decode("ascii", errors="backslashreplace")
