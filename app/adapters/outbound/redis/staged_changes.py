"""Where the changes of a run wait for the gate: packed, in a file as soon as they are many."""

import struct
from collections.abc import Collection, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

import msgspec

from app.adapters.formats.stored_plan import pack_plan
from app.adapters.outbound.redis.plan_codec import pack_known, pack_searchable
from app.domain.plans import searchable
from app.domain.reconciliation import ChangeKind, PlanChange

_IN_MEMORY = 8 * 1024 * 1024
# One script call holds Redis up for about as long as it takes to copy this much (a few ms).
_BATCH_CHANGES = 200
_BATCH_BYTES = 1024 * 1024
_LENGTH = struct.Struct("<I")


class PackedChange(NamedTuple):
    """A change as Redis stores it; what is empty is not written."""

    kinds: tuple[str, ...]
    plan_id: bytes
    known: bytes
    searchable: bytes
    plan: bytes

    @property
    def size(self) -> int:
        """The bytes that it takes, as good as exactly."""
        return len(self.known) + len(self.searchable) + len(self.plan)


_packed = msgspec.msgpack.Decoder(PackedChange)


def pack_change(change: PlanChange) -> PackedChange:
    """Pack a change: search hears of it when it brings new values and the plan was online once."""
    told = change.plan is not None and change.known.seen_online
    return PackedChange(
        tuple(change.kinds),
        change.plan_id.bytes,
        pack_known(change.known),
        pack_searchable(searchable(change.plan, change.known.offsets)) if change.plan is not None and told else b"",
        pack_plan(change.plan) if change.plan is not None else b"",
    )


class StagedChanges:
    """Changes in the order they came. Blocking, but for a file that is mostly in the page cache."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- closed by `close`, outlives this block

    def add(self, changes: Sequence[PlanChange]) -> None:
        """Pack and append; safe to call from another thread, one call at a time."""
        for change in changes:
            packed = msgspec.msgpack.encode(pack_change(change))
            self._file.write(_LENGTH.pack(len(packed)))
            self._file.write(packed)

    def batches(self, kinds: Collection[ChangeKind]) -> Iterator[list[PackedChange]]:
        """Read back, in batches for one script call each, those that have at least one of `kinds`."""
        batch: list[PackedChange] = []
        size = 0
        for change in self._all():
            if kinds and not set(kinds).isdisjoint(change.kinds):
                batch.append(change)
                size += change.size
            if len(batch) == _BATCH_CHANGES or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def clear(self) -> None:
        """Forget everything."""
        self._file.seek(0)
        self._file.truncate()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _all(self) -> Iterator[PackedChange]:
        self._file.seek(0)
        while length := self._file.read(_LENGTH.size):
            yield _packed.decode(self._file.read(_LENGTH.unpack(length)[0]))
