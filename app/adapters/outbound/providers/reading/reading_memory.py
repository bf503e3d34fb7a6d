"""What was read well before, by its bytes. The same bytes mean the same again, so they need not be read anew."""

import os
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import structlog

from app.adapters.machine.private_files import make_private_directory
from app.domain.plans import PlanId

MAX_BYTES = 128 * 1024 * 1024
"""Of a file; what comes beyond is not remembered."""

_FORMAT = b"marquee readings 1\n"
_HEAD = struct.Struct("<16sI")
_SUM = 16
_ID = 16
_GENERATION = 16_384
_GENERATION_BYTES = 8 * 1024 * 1024
_IN_MEMORY = 1024 * 1024
_PIECE = 1024 * 1024

log = structlog.get_logger()


class Reading(NamedTuple):
    """What some bytes were read as."""

    records: Sequence[tuple[PlanId, bytes]]
    """Id and digest of each plan, in their order."""
    ignored: Mapping[str, int] = {}
    """What was unknown in them, as `IgnoredNames` counts it."""
    unknown_records: int = 0


class ReadingMemory:
    """The readings of one source, from the last time it was read to its end to this time. For one thread, once.

    `way` says by which rules bytes are read: whatever changes what they mean (reader, settings, time zone rules) is a
    part of it. Readings of another way are not found. The file is a cache: one that is missing, damaged, foreign or
    cannot be written costs time alone. Without a file nothing is remembered.

    Readings are looked for near the place where they stood the last time, so that memory does not follow their number:
    of a source with up to 32,768 of them all are found, of a longer one those that keep their order roughly.
    """

    def __init__(self, file: Path | None, way: str) -> None:
        self._file = file
        self._keyed = blake2b(digest_size=_ID, key=blake2b(way.encode()).digest())
        self._now = _Written() if file else None
        self._found_all = True

    @cached_property
    def _before(self) -> "_Before":
        return _Before(self._file)

    def key(self, content: bytes, context: bytes = b"") -> bytes:
        """Name bytes, in a context that changes what they mean; 16 bytes."""
        hashed = self._keyed.copy()
        if context:
            hashed.update(b"%d:%b" % (len(context), context))
        hashed.update(content)
        return hashed.digest()

    def recall(self, key: bytes) -> Reading | None:
        """Tell what these bytes were read as the last time; it is remembered further. None when nobody knows."""
        body = self._before.find(key)
        if body is None:
            return None
        if self._now:
            self._now.add(key, body)
        return _unpacked(body)

    def note(self, key: bytes, reading: Reading) -> None:
        """Remember what bytes were read as, all of it well."""
        if self._now:
            self._found_all = False
            self._now.add(key, _packed(reading))

    def keep(self) -> None:
        """Write down what was recalled and noted, in place of the last time; when the source was read to its end."""
        if self._file is None or self._now is None:
            return
        if self._found_all and self._now.count == self._before.count:
            return
        try:
            make_private_directory(self._file.parent)
            self._now.write(self._file)
        except OSError as error:
            log.warning("readings_not_kept", file=str(self._file), reason=error.strerror)

    def close(self) -> None:
        """Give back the files. Safe to call twice."""
        if "_before" in self.__dict__:
            self._before.close()
        if self._now:
            self._now.close()


class _Before:
    """The readings of the last time, in two generations around the place that was reached."""

    def __init__(self, file: Path | None) -> None:
        self._file: IO[bytes] | None = None
        self.count = 0
        if file:
            with suppress(OSError):
                self._file = file.open("rb")
                self.count = _checked(self._file)
        self._entries = _entries(self._file) if self.count and self._file else iter(())
        self._near = self._next_generation()
        self._far = self._next_generation()
        self._reached = 0

    def find(self, key: bytes) -> bytes | None:
        """Find a reading."""
        body = self._near.get(key)
        if body is not None:
            return body
        body = self._far.get(key)
        if body is not None:
            self._reached += 1
            if self._reached > _GENERATION // 4:
                self._go_on()
        return body

    def close(self) -> None:
        """Give back the file."""
        if self._file:
            self._file.close()

    def _go_on(self) -> None:
        self._reached = 0
        if following := self._next_generation():
            self._near, self._far = self._far, following

    def _next_generation(self) -> dict[bytes, bytes]:
        entries: dict[bytes, bytes] = {}
        size = 0
        while len(entries) < _GENERATION and size < _GENERATION_BYTES and (entry := next(self._entries, None)):
            entries[entry[0]] = entry[1]
            size += len(entry[1])
        return entries


class _Written:
    """The readings of this time, in the order they came."""

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._sum = blake2b(digest_size=_SUM)
        self._size = 0
        self.count = 0

    def add(self, key: bytes, body: bytes) -> None:
        """Append one, while there is room."""
        entry = _HEAD.pack(key, len(body)) + body
        if self._size + len(entry) > MAX_BYTES:
            return
        self._size += len(entry)
        self.count += 1
        self._sum.update(entry)
        self._spool.write(entry)

    def write(self, file: Path) -> None:
        """Put them in place of a file, at once or not at all.

        Raises:
            OSError: they cannot be written.
        """
        self._spool.seek(0)
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        try:
            with open(descriptor, "wb") as new:  # noqa: PTH123 - it is open already
                new.write(_FORMAT + self._sum.digest() + self.count.to_bytes(8, "little"))
                while piece := self._spool.read(_PIECE):
                    new.write(piece)
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - as mkstemp names it
            raise

    def close(self) -> None:
        """Give back the temporary file."""
        self._spool.close()


def _checked(file: IO[bytes]) -> int:
    """Tell how many readings a file has, and leave it at the first; 0 of one that is damaged or foreign."""
    head = file.read(len(_FORMAT) + _SUM + 8)
    if not head.startswith(_FORMAT) or os.fstat(file.fileno()).st_size > MAX_BYTES + len(head):
        return 0
    found = blake2b(digest_size=_SUM)
    while piece := file.read(_PIECE):
        found.update(piece)
    file.seek(len(head))
    whole = found.digest() == head[len(_FORMAT) : -8]
    return int.from_bytes(head[-8:], "little") if whole else 0


def _entries(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        key, size = _HEAD.unpack(head)
        yield key, file.read(size)


_Body = tuple[bytes, dict[str, int], int]
_decoder = msgspec.msgpack.Decoder(_Body)
_encoder = msgspec.msgpack.Encoder()


def _packed(reading: Reading) -> bytes:
    records = b"".join(plan_id.bytes + digest for plan_id, digest in reading.records)
    return _encoder.encode((records, reading.ignored, reading.unknown_records))


def _unpacked(body: bytes) -> Reading:
    records, ignored, unknown_records = _decoder.decode(body)
    each = range(0, len(records), 2 * _ID)
    return Reading(
        [(PlanId(bytes=records[at : at + _ID]), records[at + _ID : at + 2 * _ID]) for at in each],
        ignored,
        unknown_records,
    )
