"""SyncJournal in Redis: two bounded lists and a hash of counters per provider."""

from collections.abc import Mapping, Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.catalog import SyncJournal
from app.domain.feeds import Rejection
from app.domain.sync_runs import SyncReport

RUNS = "runs"
"""A list of reports as JSON, newest first."""
REJECTIONS = "rejections"
"""A list of rejections as JSON, those of the newest run first."""
TOTALS = "totals"
"""A hash of counters: `runs.<outcome>`, `rejections.<reason>`."""

_RECORD = load_script("record_run")

_report = msgspec.json.Decoder(SyncReport)
_rejection = msgspec.json.Decoder(Rejection)


class RedisSyncJournal(SyncJournal):
    """Keeps the newest `runs_kept` reports and `rejections_kept` rejections of each provider."""

    def __init__(self, client: RedisClient, *, runs_kept: int = 200, rejections_kept: int = 1000) -> None:
        self._client = client
        self._runs_kept = runs_kept
        self._rejections_kept = rejections_kept

    async def record(self, report: SyncReport, rejections: Sequence[Rejection]) -> None:
        """Write report, rejections and counters in one step."""
        counts = {f"rejections.{reason}": count for reason, count in report.rejected_for.items()}
        counts[f"runs.{report.outcome}"] = 1
        kept = rejections[: self._rejections_kept]
        arguments: list[bytes | str | float] = [self._runs_kept, self._rejections_kept, len(counts)]
        for name, count in counts.items():
            arguments += (name, count)
        arguments.append(msgspec.json.encode(report))
        arguments += (msgspec.json.encode(rejection) for rejection in kept)
        keys = [provider_key(report.provider, part) for part in (RUNS, REJECTIONS, TOTALS)]
        await self._client.run(_RECORD, keys, arguments)

    async def runs(self, provider: str, limit: int) -> Sequence[SyncReport]:
        """Read the newest reports."""
        return [_report.decode(entry) for entry in await self._newest(provider, RUNS, limit)]

    async def rejections(self, provider: str, limit: int) -> Sequence[Rejection]:
        """Read the newest rejections."""
        return [_rejection.decode(entry) for entry in await self._newest(provider, REJECTIONS, limit)]

    async def last_runs(self, providers: Sequence[str]) -> Sequence[SyncReport | None]:
        """Read the newest report of each."""
        found = await self._client.many([("LINDEX", provider_key(name, RUNS), 0) for name in providers])
        return [None if entry is None else _report.decode(entry) for entry in found]

    async def totals(self, providers: Sequence[str]) -> Sequence[Mapping[str, int]]:
        """Read the counters of each."""
        found = await self._client.many([("HGETALL", provider_key(name, TOTALS)) for name in providers])
        return [{name.decode(): int(count) for name, count in counters.items()} for counters in found]

    async def _newest(self, provider: str, part: str, limit: int) -> Sequence[bytes]:
        if limit <= 0:
            return ()
        entries: Sequence[bytes] = await self._client.command("LRANGE", provider_key(provider, part), 0, limit - 1)
        return entries
