"""Entries of a change log: how one is named, where logs end, and what follows a position."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha1
from struct import Struct
from typing import Any, NamedTuple, TypedDict

from app.adapters.outbound.redis.catalog_update import HEAD, KNOWN, LOG
from app.adapters.outbound.redis.connection import Call, RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.catalog import Behind, LogPosition
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind

_HEAD = load_script("head_of_log", "by_name", "log_head")
_READ = load_script("read_log", "by_name", "log_head")

_ALWAYS = ("id", "kinds", "run", "at")
ENOUGH = 1024 * 1024
"""Bytes of one answer: Redis is held up for a few milliseconds."""


class Logged(TypedDict):
    """What every reader wants of an entry."""

    provider: str
    plan_id: PlanId
    kinds: tuple[ChangeKind, ...]
    run_id: str
    at: datetime


class LogEntry(NamedTuple):
    """An entry of the stream, not unpacked yet."""

    entry_id: bytes
    fields: Mapping[str, bytes]
    """Those that were asked for; empty where it has none."""

    @property
    def name(self) -> str:
        """As `name_entry` in scripts/log_head.lua names it."""
        named = b" ".join((self.entry_id, self.fields["run"], self.fields["id"]))
        return sha1(named, usedforsecurity=False).hexdigest()[:16]

    def logged(self, provider: str) -> Logged:
        """Unpack what is no plan."""
        return {
            "provider": provider,
            "plan_id": PlanId(bytes=self.fields["id"]),
            "kinds": _kinds(self.fields["kinds"]),
            "run_id": self.fields["run"].decode(),
            "at": _instant(self.fields["at"]),
        }


@lru_cache  # there are few, over and over; as below
def _kinds(text: bytes) -> tuple[ChangeKind, ...]:
    return tuple(ChangeKind(kind) for kind in text.decode().split(","))


@lru_cache
def _instant(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())


@dataclass(frozen=True, slots=True)
class LogLook:
    """A log as it was at one instant."""

    head: LogPosition
    stands_there: str
    """The name of the entry that stands at the position asked about; empty when there is none."""
    entries: Sequence[LogEntry]
    """Those behind that position."""

    def leads_on(self, after: LogPosition) -> bool:
        """Tell whether the entries follow a position without a gap, or it is the log's end; and it names its entry."""
        if after.epoch != self.head.epoch or (after.entry and after.entry != self.stands_there):
            return False
        if not self.entries:
            return after.sequence == self.head.sequence
        following = range(after.sequence + 1, after.sequence + 1 + len(self.entries))
        return [entry.entry_id for entry in self.entries] == [
            f"{after.epoch}-{number}".encode() for number in following
        ]

    def end(self, after: LogPosition) -> LogPosition:
        """Say where the entries end, which lead on from `after`."""
        if not self.entries:
            return self.head
        return LogPosition(after.epoch, after.sequence + len(self.entries), self.entries[-1].name)


async def heads_of(client: RedisClient, providers: Sequence[str]) -> list[LogPosition | None]:
    """Say where the logs of these providers end; None for one without a log, and without plans."""
    calls = [([provider_key(name, part) for part in (HEAD, LOG, KNOWN)], ()) for name in providers]
    return [_position(reply) if reply else None for reply in await client.run_many(_HEAD, calls)]


async def look(
    client: RedisClient, after: Mapping[str, LogPosition], wanted: Sequence[str], *, most: int, enough: int = ENOUGH
) -> Mapping[str, LogLook]:
    """Look at the logs of several providers, at each at one instant.

    Of each at most `most` entries, and no more when they have `enough` bytes (a few more in the end), each with the
    fields that are `wanted` and those that every reader wants.
    """
    names = (*_ALWAYS, *wanted)
    calls: list[Call] = [
        ([provider_key(name, HEAD), provider_key(name, LOG)], [entry_id(position), most, enough, *names])
        for name, position in after.items()
    ]
    replies = await client.run_many(_READ, calls)
    return {name: _look(names, *reply) for name, reply in zip(after, replies, strict=True)}


def _look(names: Sequence[str], head: Sequence[bytes], stands_there: bytes, sizes: bytes, joined: bytes) -> LogLook:
    return LogLook(_position(head), stands_there.decode(), [*_entries(names, sizes, joined)])


def _entries(names: Sequence[str], sizes: bytes, joined: bytes) -> Iterator[LogEntry]:
    """Read what `_READ` joined: redis-py takes as long to read one value as all else takes for an entry."""
    begin = 0
    for lengths in Struct(f"<{1 + len(names)}I").iter_unpack(sizes):
        values = []
        for length in lengths:
            values.append(joined[begin : begin + length])
            begin += length
        yield LogEntry(values[0], dict(zip(names, values[1:], strict=True)))


def entry_id(position: LogPosition) -> str:
    """Write a position as the stream has it."""
    return f"{position.epoch}-{position.sequence}"


async def behind(client: RedisClient, provider: str, after: LogPosition, seen: LogLook) -> Behind:
    """Say why a log does not lead on from a position, and from where it may be read."""
    oldest = await client.command("XRANGE", provider_key(provider, LOG), "-", "+", "COUNT", 1)
    head = seen.head
    return Behind(
        provider,
        head if head.epoch else None,
        _before(oldest[0][0]) if oldest else None,
        trimmed=after.epoch == head.epoch
        and after.sequence <= head.sequence
        and (not after.entry or seen.stands_there in ("", after.entry)),
    )


def _position(reply: Sequence[Any]) -> LogPosition:
    epoch, sequence, entry = reply
    return LogPosition(int(epoch), int(sequence), entry.decode())


def _before(stream_id: bytes) -> LogPosition:
    epoch, _, sequence = stream_id.partition(b"-")
    return LogPosition(int(epoch), int(sequence) - 1)
