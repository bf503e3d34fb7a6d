"""ForgetList as a file in the data directory: a line of JSON for each entry, and for each of its further ids.

It is outside the database, so that whoever sets the database back does not bring back whom it says to forget.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from app.adapters.machine.private_files import make_private_directory, make_private_file
from app.application.ports.forgetting import ForgetList, ForgetListError, Forgetting
from app.domain.activities import ActivityId

FILE = "forgotten.ndjson"


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    forgetting: UUID
    at: datetime | None = None
    """Of the first line of an entry alone."""
    digests: list[str] = []
    ids: list[UUID] = []


class ForgetFile(ForgetList):
    """The file of one installation; a last line that was cut off by a kill is left out, and written over."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    def begin(self, forgetting: Forgetting) -> None:
        """Write the first line."""
        digests, ids = sorted(forgetting.digests), sorted(forgetting.ids)
        self._append(_Line(forgetting.forgetting_id, forgetting.at, digests, ids))

    def add_ids(self, forgetting_id: UUID, ids: Collection[ActivityId]) -> None:
        """Write one more line."""
        if ids:
            self._append(_Line(forgetting_id, ids=sorted(ids)))

    def entries(self) -> Sequence[Forgetting]:
        """Put the lines of each entry together."""
        found: dict[UUID, Forgetting] = {}
        for line in self._lines():
            known = found.get(line.forgetting)
            if line.at is not None:
                found[line.forgetting] = Forgetting(
                    line.forgetting, line.at, frozenset(line.digests), frozenset(line.ids)
                )
            elif known is not None:
                ids = known.ids | frozenset(line.ids)
                found[line.forgetting] = Forgetting(known.forgetting_id, known.at, known.digests, ids)
        return list(found.values())

    def _append(self, line: _Line) -> None:
        try:
            make_private_directory(self._path.parent)
            make_private_file(self._path)
            with self._path.open("r+b") as file:
                whole = file.read()
                file.seek(whole.rfind(b"\n") + 1)
                file.truncate()
                file.write(msgspec.json.encode(line) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ForgetListError(f"{self._path} cannot be written: {error.strerror}") from None

    def _lines(self) -> Iterator[_Line]:
        try:
            whole = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise ForgetListError(f"{self._path} cannot be read: {error.strerror}") from None
        for number, line in enumerate(whole[: whole.rfind(b"\n") + 1].splitlines(), 1):
            try:
                yield msgspec.json.decode(line, type=_Line)
            except msgspec.DecodeError as error:
                raise ForgetListError(f"{self._path}, line {number}: {error}") from None
