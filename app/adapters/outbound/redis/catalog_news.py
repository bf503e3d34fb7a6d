"""Whose log has moved: one short stream for all providers, so that one wait serves any number of them.

No provider's hash tag, so it is written after the change and not with it: it is a hint, and the logs have the truth.
"""

from contextlib import suppress

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import PREFIX
from app.application.ports.system import LiveStateUnavailableError

NEWS = f"{PREFIX}:{{news}}:catalog"
"""A stream of `p`, a provider's name; trimmed when it is written, for who comes late looks at every log."""

NEWS_KEPT = 1_000
"""Entries, at least."""

BEGINNING = b"0-0"


async def tell_news(client: RedisClient, provider: str) -> None:
    """Say that a provider's log has moved. Never fails: those who follow look by themselves, a little later."""
    with suppress(LiveStateUnavailableError):
        await client.command("XADD", NEWS, "MAXLEN", "~", NEWS_KEPT, "*", "p", provider)


async def end_of_news(client: RedisClient) -> bytes:
    """Say where the stream ends now."""
    newest = await client.command("XREVRANGE", NEWS, "+", "-", "COUNT", 1)
    return bytes(newest[0][0]) if newest else BEGINNING


async def news(blocking: RedisClient, after: bytes, block_ms: int) -> tuple[set[str] | None, bytes]:
    """Wait for news; return whose logs moved, and where to read on. None when some may have been missed."""
    reply = await blocking.command("XREAD", "COUNT", NEWS_KEPT, "BLOCK", block_ms, "STREAMS", NEWS, after)
    entries = [entry for _, found in reply or () for entry in found]
    if not entries:
        return set(), after
    names = {fields[b"p"].decode() for _, fields in entries}
    return (None if len(entries) >= NEWS_KEPT else names), bytes(entries[-1][0])
