"""ActivityQueue in Redis: a stream, with the ids of the last minutes beside it; one script for both."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from app.adapters.outbound.redis.activity_codec import pack, pack_entry
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import PREFIX
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.activities import ActivityQueue, QueueFullError
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns

# One hash tag for all that the activities need: every script here changes several of these keys.
ACTIVITIES = f"{PREFIX}:{{activities}}"

STREAM = f"{ACTIVITIES}:stream"
"""A stream. An entry is what one call appended: `d`, the activities (activity_codec.py); `skip`, if there, the
positions of the duplicates among them, with commas; `n`, how many are none; `b`, the bytes of `d`; `t`, if there, the
W3C traceparents of those calls that are traced, with commas. Trimmed behind what every group of readers has finished
(activity_inbox.py)."""
FIGURES = f"{ACTIVITIES}:figures"
"""A hash of counters that only grow: `accepted`, `duplicates`, `settled`, of these `buried` and `retried` (activities);
`accepted_bytes`, `settled_bytes` (of `d`); `waited_ms`, from append to settled, of the `timed` activities together.
And `looked_at` (Unix time, ms), written by whoever looks at them, to see whether Redis takes writes."""
IDS = f"{ACTIVITIES}:ids"
"""Sets of ids (16 bytes each), `ids:<window in ms>:<0-3>`: that of the current window, modulo 4, the one before, one
that is to go and one to come. An id is remembered for one to two windows; a set that nobody removes runs out."""

# Two, so that we pack one while Redis works on the other; more only make the entries smaller, and each costs 0.1 ms.
_CALLS_AT_ONCE = 2
# A call takes no more together; an append that is larger goes alone.
_ACTIVITIES_PER_CALL = 1000
_BYTES_PER_CALL = 1024 * 1024
_TRACES_PER_CALL = 16
"""More of those that are sent together are not followed further."""

_APPEND = load_script("append_activities", "now_ms")


@dataclass(frozen=True, slots=True, eq=False)
class _Append:
    """One append that waits to be sent."""

    packed: bytes
    ids: bytes
    count: int
    duplicates: asyncio.Future[Sequence[int]]
    trace: str | None


class RedisActivityQueue(ActivityQueue):
    """Sends together what came while a call was under way: one entry, one wait for the disk, each its own answer.

    `window` is in seconds; deduplication goes by the server's clock, and starts anew with another window. The queue is
    full at `max_backlog` activities or `max_backlog_bytes`, whatever comes first; what comes while it is not is taken
    whole, so an append is never too large for it. An answer waits until `replicas` replicas have what it promises, also
    when all of it was there before: a duplicate is counted, and that count is a write of its own, behind the first one.
    `trace`, if given, is asked at each append what
    to note for the worker.
    """

    def __init__(  # noqa: PLR0913 - each is a setting
        self,
        client: RedisClient,
        *,
        window: float = 600.0,
        max_backlog: int = 5_000_000,
        max_backlog_bytes: int = 1024**3,
        replicas: int = 0,
        trace: Callable[[], str | None] | None = None,
    ) -> None:
        self._client = client
        self._replicas = replicas
        self._trace = trace
        self._keys = [STREAM, FIGURES, *id_keys(window)]
        self._limits = (milliseconds(window), max_backlog, max_backlog_bytes)
        self._waiting: deque[_Append] = deque()
        self._senders: list[asyncio.Task[None]] = []

    async def append(self, activities: Sequence[Activity]) -> Collection[int]:
        """Wait for the next call, and for its answer."""
        if not activities:
            return ()
        columns = ActivityColumns.of(activities)
        answer: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()
        trace = self._trace() if self._trace else None
        self._waiting.append(_Append(pack(columns), columns.ids, len(columns), answer, trace))
        self._senders = [sender for sender in self._senders if not sender.done()]
        if len(self._senders) < _CALLS_AT_ONCE:
            self._senders.append(asyncio.create_task(self._send_all()))
        return await answer

    async def _send_all(self) -> None:
        """Send until nobody waits. A task of its own: an appender that is cancelled takes nobody with it."""
        while group := self._next_group():
            try:
                _answer(group, await self._send(group))
            except LiveStateUnavailableError as error:  # who stands behind it would wait for another timeout
                _fail([*group, *self._waiting], error)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is those who wait that have to know
                _fail(group, error)
            except asyncio.CancelledError:  # the loop is being closed, and nobody would send the others
                for append in (*group, *self._waiting):
                    append.duplicates.cancel()
                raise

    def _next_group(self) -> list[_Append]:
        """Take those who wait, in order, as far as they go into one call; not those who have given up."""
        group: list[_Append] = []
        count = size = 0
        while self._waiting:
            following = self._waiting[0]
            if not following.duplicates.done():
                count += following.count
                size += len(following.packed)
                if group and (count > _ACTIVITIES_PER_CALL or size > _BYTES_PER_CALL):
                    break
                group.append(following)
            self._waiting.popleft()
        return group

    async def _send(self, group: Sequence[_Append]) -> Sequence[int]:
        payload = pack_entry([append.packed for append in group])
        ids = b"".join([append.ids for append in group])
        arguments: list[bytes | str | float] = [payload, ids, *self._limits]
        if self._trace and (traces := [append.trace for append in group if append.trace]):
            arguments.append(",".join(traces[:_TRACES_PER_CALL]))
        duplicates: Sequence[int] | None = await self._client.run(
            _APPEND, self._keys, arguments, replicas=self._replicas
        )
        if duplicates is None:
            raise QueueFullError("the backlog of activities has reached its limit: workers have to drain some of it")
        return duplicates


def id_keys(window: float) -> list[str]:
    """Name the sets of ids of a window, in seconds."""
    return [f"{IDS}:{milliseconds(window)}:{number}" for number in range(4)]


def milliseconds(window: float) -> int:
    """Write a window, in seconds, as Redis is told it."""
    return max(1, round(window * 1000))


def _answer(group: Sequence[_Append], duplicates: Sequence[int]) -> None:
    """Tell everybody which of their own were duplicates."""
    begin = 0
    for append in group:
        end = begin + append.count
        if not append.duplicates.done():
            append.duplicates.set_result([position - begin for position in duplicates if begin <= position < end])
        begin = end


def _fail(group: Sequence[_Append], error: Exception) -> None:
    for append in group:
        if not append.duplicates.done():
            append.duplicates.set_exception(error)
