"""RejectionLists in Redis: two bounded lists per provider, written under the lease's fence."""

from collections.abc import Sequence

import msgspec

from app.adapters.outbound.redis.catalog_update import FENCE, lease_lost
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.syncs import RejectionLists
from app.application.ports.system import Lease
from app.domain.rejection_list import StandingRejection

STANDING = "rejections_standing"
"""A list of StandingRejection as JSON, in the order in which they were noted."""
MENDED = "rejections_mended"
"""The same, newest first."""
FORMER = "rejections"
"""Where every rejection of every run was kept once; removed when something is noted."""

_NOTE = load_script("note_rejections")

_row = msgspec.json.Decoder(StandingRejection)


class RedisRejectionLists(RejectionLists):
    """Keeps at most `rejections_kept` in each list."""

    def __init__(self, client: RedisClient, *, rejections_kept: int = 1000) -> None:
        self._client = client
        self._kept = rejections_kept

    async def standing(self, provider: str, limit: int) -> Sequence[StandingRejection]:
        """Read the list's beginning."""
        return await self._first(provider, STANDING, limit)

    async def mended(self, provider: str, limit: int) -> Sequence[StandingRejection]:
        """Read the list's beginning."""
        return await self._first(provider, MENDED, limit)

    async def note(
        self, lease: Lease, standing: Sequence[StandingRejection], mended: Sequence[StandingRejection] = ()
    ) -> None:
        """Write both in one step, unless the fence has moved on."""
        rows = [msgspec.json.encode(row) for row in (*standing[: self._kept], *mended[: self._kept][::-1])]
        keys = [provider_key(lease.provider, part) for part in (FENCE, STANDING, MENDED, FORMER)]
        arguments: list[bytes | str | float] = [lease.fence, self._kept, min(len(standing), self._kept), *rows]
        if not await self._client.run(_NOTE, keys, arguments):
            raise lease_lost(lease)

    async def _first(self, provider: str, part: str, limit: int) -> Sequence[StandingRejection]:
        if limit <= 0:
            return ()
        rows: Sequence[bytes] = await self._client.command("LRANGE", provider_key(provider, part), 0, limit - 1)
        return [_row.decode(row) for row in rows]
