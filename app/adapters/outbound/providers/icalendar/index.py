"""What must be known of a whole calendar before its first event is told, on disk: which events and overrides count."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from app.adapters.outbound.providers.icalendar.components import Block

SERIES = ""
"""The key of an event that is no override."""

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -4096;
CREATE TABLE zone (calendar INTEGER, tzid TEXT, rules BLOB, PRIMARY KEY (calendar, tzid)) WITHOUT ROWID;
CREATE TABLE override (
  uid BLOB, written TEXT, tzid TEXT, onwards INTEGER, sequence INTEGER, stamp TEXT, digest BLOB, calendar INTEGER,
  number INTEGER, offset INTEGER
);
CREATE TABLE event (
  uid BLOB, key TEXT, onwards INTEGER, sequence INTEGER, stamp TEXT, digest BLOB, calendar INTEGER, number INTEGER,
  offset INTEGER, told INTEGER DEFAULT 0, PRIMARY KEY (uid, key)
) WITHOUT ROWID;
CREATE INDEX onwards ON event (uid, key) WHERE onwards;
BEGIN;
"""
_KEEP = """
INSERT INTO event (uid, key, onwards, sequence, stamp, digest, calendar, number, offset)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uid, key) DO UPDATE SET onwards = excluded.onwards, sequence = excluded.sequence, stamp = excluded.stamp,
  digest = excluded.digest, calendar = excluded.calendar, number = excluded.number, offset = excluded.offset
WHERE (excluded.sequence, excluded.stamp) > (event.sequence, event.stamp)
"""
_PLACE = "SELECT key, calendar, number, offset, onwards FROM event WHERE uid = ?"


class Identity(NamedTuple):
    """By what events are told apart, and which of two is the newer."""

    uid: str
    recurrence_id: str
    """As it is written; empty for an event that is no override."""
    tzid: str | None
    onwards: bool
    sequence: int
    stamp: str


class Place(NamedTuple):
    """Where an event that counts stands in the file."""

    key: str
    calendar: int
    number: int
    offset: int
    onwards: bool


class CalendarIndex:
    """Tables in a temporary file; of several events with one UID and one key the newest by SEQUENCE and DTSTAMP counts.

    Keys are texts that sort as what they mean; the caller makes them. It may be used from one thread after another.
    """

    def __init__(self, scratch: Path | None) -> None:
        self._folder = TemporaryDirectory(prefix="marquee-calendar-", dir=scratch)
        self._tables = sqlite3.connect(Path(self._folder.name) / "index", isolation_level=None, check_same_thread=False)
        self._tables.executescript(_SCHEMA)

    def close(self) -> None:
        """Give back the file. Safe to call twice."""
        self._tables.close()
        self._folder.cleanup()

    def keep_zone(self, calendar: int, tzid: str, rules: bytes) -> None:
        """Keep the rules of a zone; of two with one name in one calendar the first."""
        self._tables.execute("INSERT OR IGNORE INTO zone VALUES (?, ?, ?)", (calendar, tzid, rules))

    def zone(self, calendar: int, tzid: str) -> bytes | None:
        """Find the rules of a zone."""
        found = self._tables.execute("SELECT rules FROM zone WHERE calendar = ? AND tzid = ?", (calendar, tzid))
        row = found.fetchone()
        return row[0] if row else None

    def keep(self, identity: Identity, block: Block) -> None:
        """Keep an event, or an override for `resolve`."""
        place = (identity.sequence, identity.stamp, digest_of(block), block.calendar, block.number, block.offset)
        if identity.recurrence_id:
            row = (_key(identity.uid), identity.recurrence_id, identity.tzid, identity.onwards, *place)
            self._tables.execute("INSERT INTO override VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        else:
            self._tables.execute(_KEEP, (_key(identity.uid), SERIES, False, *place))

    def pending(self) -> Iterator[tuple[int, int, Identity]]:
        """Give each override that was kept: its number for `resolve`, its calendar, and who it is but for the UID."""
        with closing(self._tables.cursor()) as cursor:
            for row, calendar, *said in cursor.execute(
                "SELECT rowid, calendar, '', written, tzid, onwards, sequence, stamp FROM override ORDER BY rowid"
            ):
                yield row, calendar, Identity(*said)

    def resolve(self, row: int, key: str) -> None:
        """Give an override its key, now that the time zones are known."""
        said = self._tables.execute("SELECT * FROM override WHERE rowid = ?", (row,)).fetchone()
        uid, _, _, onwards, *place = said
        self._tables.execute(_KEEP, (uid, key, onwards, *place))

    def counts(self, identity: Identity, key: str, block: Block) -> bool | None:
        """Tell whether a block is the one that counts; None when it says something else than that, and is not older."""
        found = self._tables.execute(
            "SELECT offset, sequence, stamp, digest FROM event WHERE uid = ? AND key = ?", (_key(identity.uid), key)
        )
        offset, sequence, stamp, digest = found.fetchone()
        if offset == block.offset:
            return True
        older = (identity.sequence, identity.stamp) < (sequence, stamp)
        return False if older or digest == digest_of(block) else None

    def series(self, uid: str) -> bool:
        """Tell whether the calendar has the event that the overrides of this UID belong to."""
        found = self._tables.execute("SELECT 1 FROM event WHERE uid = ? AND key = ?", (_key(uid), SERIES))
        return found.fetchone() is not None

    def has_overrides(self, uid: str) -> bool:
        """Tell whether there are any."""
        found = self._tables.execute("SELECT 1 FROM event WHERE uid = ? AND key > ? LIMIT 1", (_key(uid), SERIES))
        return found.fetchone() is not None

    def override(self, uid: str, *keys: str) -> Place | None:
        """Find the override of one occurrence."""
        for key in keys:
            found = self._tables.execute(f"{_PLACE} AND key = ?", (_key(uid), key)).fetchone()
            if found:
                return Place(*found)
        return None

    def onwards(self, uid: str) -> Iterator[Place]:
        """Give the overrides of all later occurrences, too, in order."""
        for found in self._tables.execute(f"{_PLACE} AND onwards ORDER BY key", (_key(uid),)):
            yield Place(*found)

    def last_onwards(self, uid: str, key: str) -> Place | None:
        """Find the last of them that an occurrence is at or behind."""
        order = f"{_PLACE} AND onwards AND key <= ? ORDER BY key DESC LIMIT 1"
        found = self._tables.execute(order, (_key(uid), key)).fetchone()
        return Place(*found) if found else None

    def mark_told(self, uid: str, key: str) -> None:
        """Take note that an override is done with."""
        self._tables.execute("UPDATE event SET told = 1 WHERE uid = ? AND key = ?", (_key(uid), key))

    def untold(self, uid: str) -> Iterator[Place]:
        """Give the overrides that nothing has asked for, in order; they may be marked meanwhile."""
        key = SERIES
        while True:
            order = f"{_PLACE} AND key > ? AND NOT told ORDER BY key LIMIT 1"
            found = self._tables.execute(order, (_key(uid), key)).fetchone()
            if not found:
                return
            place = Place(*found)
            yield place
            key = place.key


def digest_of(block: Block) -> bytes:
    """Tell blocks apart by what they say."""
    digest = blake2b(digest_size=8)
    for line in block.lines:
        digest.update(line.content)
        digest.update(b"\n")
    return digest.digest()


def _key(uid: str) -> bytes:
    return blake2b(uid.encode(), digest_size=16).digest()
