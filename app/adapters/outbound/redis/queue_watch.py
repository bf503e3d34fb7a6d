"""QueueWatch in Redis: the counters that door and workers keep, and whether Redis takes writes."""

from app.adapters.outbound.redis.activity_inbox import GROUP
from app.adapters.outbound.redis.activity_queue import FIGURES, STREAM
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.dead_letters import DEAD
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.activities import QueueFigures, QueueWatch
from app.application.ports.system import LiveStateUnavailableError

_LOOK = load_script("queue_figures", "now_ms", "by_name")
_TOUCH = load_script("touch_figures")


class RedisQueueWatch(QueueWatch):
    """Costs the same however long the queue is: a few reads, and one small write that shows whether any are taken.

    Where `replicas` have to confirm what is promised, they are asked for as well.
    """

    def __init__(self, client: RedisClient, *, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas

    async def figures(self) -> QueueFigures:
        """Read all counters in one script."""
        *counts, refusal = await self._client.run(_LOOK, [FIGURES, DEAD, STREAM], [GROUP])
        accepted, duplicates, settled, accepted_bytes, settled_bytes, *others = map(int, counts)
        buried, retried, waited_ms, timed, dead_letters, oldest_ms = others
        return QueueFigures(
            accepted=accepted,
            duplicates=duplicates,
            settled=settled,
            dead_letters=dead_letters,
            backlog=accepted - settled,
            backlog_bytes=accepted_bytes - settled_bytes,
            buried=buried,
            retried=retried,
            waited=waited_ms / 1000,
            timed=timed,
            oldest_age=oldest_ms / 1000,
            refusal=self._client.refusal(refusal.decode()) if refusal else await self._unconfirmed(),
        )

    async def _unconfirmed(self) -> str | None:
        """Say why the replicas that a promise needs do not come; None when they do, or it needs none."""
        if self._replicas:
            try:
                await self._client.run(_TOUCH, [FIGURES], replicas=self._replicas)
            except LiveStateUnavailableError as error:
                return str(error)
        return None
