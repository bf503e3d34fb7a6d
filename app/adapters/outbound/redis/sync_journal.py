"""SyncJournal in Redis: a bounded list and a hash of counters per provider."""

from collections.abc import Mapping, Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.catalog import SyncJournal
from app.domain.sync_runs import SyncReport

RUNS = "runs"
"""A list of reports as JSON, newest first."""
TOTALS = "totals"
"""A hash of counters: `runs.<outcome>`, `rejections.<reason>`."""

_RECORD = load_script("record_run")

_report = msgspec.json.Decoder(SyncReport)


class RedisSyncJournal(SyncJournal):
    """Keeps the newest `runs_kept` reports of each provider."""

    def __init__(self, client: RedisClient, *, runs_kept: int = 200) -> None:
        self._client = client
        self._runs_kept = runs_kept

    async def record(self, report: SyncReport) -> None:
        """Write report and counters in one step."""
        counts = {f"rejections.{reason}": count for reason, count in report.rejected_for.items()}
        counts[f"runs.{report.outcome}"] = 1
        arguments: list[bytes | str | float] = [self._runs_kept, msgspec.json.encode(report)]
        for name, count in counts.items():
            arguments += (name, count)
        keys = [provider_key(report.provider, part) for part in (RUNS, TOTALS)]
        await self._client.run(_RECORD, keys, arguments)

    async def runs(self, provider: str, limit: int) -> Sequence[SyncReport]:
        """Read the newest reports."""
        if limit <= 0:
            return ()
        entries: Sequence[bytes] = await self._client.command("LRANGE", provider_key(provider, RUNS), 0, limit - 1)
        return [_report.decode(entry) for entry in entries]

    async def last_runs(self, providers: Sequence[str]) -> Sequence[SyncReport | None]:
        """Read the newest report of each."""
        found = await self._client.many([("LINDEX", provider_key(name, RUNS), 0) for name in providers])
        return [None if entry is None else _report.decode(entry) for entry in found]

    async def totals(self, providers: Sequence[str]) -> Sequence[Mapping[str, int]]:
        """Read the counters of each."""
        found = await self._client.many([("HGETALL", provider_key(name, TOTALS)) for name in providers])
        return [{name.decode(): int(count) for name, count in counters.items()} for counters in found]
