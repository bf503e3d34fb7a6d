"""Where an export is written to: standard output, or a file that goes on where a killed run has stopped."""

import fcntl
import gzip
import json
import os
import sys
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.application.import_activities import ActivityFileError

Question = Mapping[str, str | None]
"""What was asked for: a file is gone on with for the same question alone."""

NOTED_EVERY = 1.0
"""Seconds of work that a kill costs at the most."""
STATE = ".state.json"
"""Behind the file's name: where its whole part ends, while it is written."""


class Output(Protocol):
    """Takes an export from its beginning, or from where it stands, to its end."""

    place: str
    """Behind which place to go on; empty: at the beginning."""

    @abstractmethod
    def add(self, content: bytes, place: str) -> None:
        """Write what follows, and that behind it the export goes on at `place`.

        Raises:
            ActivityFileError: it cannot be written.
        """

    @abstractmethod
    def finish(self) -> None:
        """Note that it is whole. Errors as above."""


class StandardOutput(Output):
    """Writes to whoever reads; nobody can go on with that."""

    place = ""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream or sys.stdout.buffer

    def add(self, content: bytes, place: str) -> None:  # noqa: ARG002 - there is no going on
        """See Output. BrokenPipeError passes: nobody reads any more."""
        self._stream.write(content)

    def finish(self) -> None:
        """See Output."""
        self._stream.flush()


class ResumableFile(Output):
    """A file for us alone, and beside it, until it is whole, what says how much of it counts.

    Raises:
        UsageMistakeError: the file is whole, of another question, or another process writes it.
        ActivityFileError: it cannot be written.
    """

    def __init__(self, path: Path, question: Question, noted_every: float = NOTED_EVERY) -> None:
        self._path = path
        self._state = path.with_name(path.name + STATE)
        self._question = question
        self._noted_every = noted_every
        self.place, self._size = "", 0
        try:
            self._file = self._opened()
        except OSError as error:
            raise self._unwritable(error) from error
        self._noted_at = monotonic()

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Close it; what is not whole stays as it is, to be gone on with."""
        self._file.close()

    def add(self, content: bytes, place: str) -> None:
        """See Output."""
        try:
            self._file.write(content)
            self._size += len(content)
            self.place = place
            if monotonic() - self._noted_at >= self._noted_every:
                self._note()
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        """See Output."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._state.unlink()
        except OSError as error:
            raise self._unwritable(error) from error

    def _opened(self) -> BinaryIO:
        if self._state.exists():
            file = self._locked(os.O_CREAT)
            try:
                self._go_on_with(file)  # what is noted is read under the lock: the other one may just have ended
            except BaseException:
                file.close()
                raise
            return file
        if self._path.exists():
            raise self._whole()
        self._write_state()
        return self._locked(os.O_CREAT | os.O_EXCL)

    def _go_on_with(self, file: BinaryIO) -> None:
        found = self._read_state()
        if found.get("question") != dict(self._question):
            raise UsageMistakeError(
                f"{self._path} is an unfinished export of something else: ask as before, or remove it and {self._state}"
            )
        self.place, self._size = str(found["place"]), int(str(found["bytes"]))
        if os.fstat(file.fileno()).st_size < self._size:
            raise UsageMistakeError(f"{self._path} is shorter than it was: remove it and {self._state}")
        file.truncate(self._size)
        file.seek(self._size)

    def _read_state(self) -> dict[str, object]:
        try:
            found = json.loads(self._state.read_bytes())
        except FileNotFoundError:
            raise self._whole() from None
        except ValueError:
            return {}
        return found if isinstance(found, dict) and found.keys() == {"question", "place", "bytes"} else {}

    def _whole(self) -> UsageMistakeError:
        return UsageMistakeError(f"{self._path} is there already, and whole: name another file, or remove it")

    def _locked(self, how: int) -> BinaryIO:
        file = os.fdopen(os.open(self._path, os.O_RDWR | how, 0o600), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise UsageMistakeError(f"{self._path} is being written by another export") from None
        return file

    def _note(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._write_state()
        self._noted_at = monotonic()

    def _write_state(self) -> None:
        """Replace it whole: it never says more than the disk has."""
        noted = json.dumps({"question": dict(self._question), "place": self.place, "bytes": self._size})
        written = self._state.with_name(self._state.name + ".new")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(noted)
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._state)

    def _unwritable(self, error: OSError) -> ActivityFileError:
        return ActivityFileError(f"{self._path} cannot be written: {error.strerror or error}")


class PackedOutput(Output):
    """Packs what goes to another output: each part is a member of gzip of its own, so that it can be gone on with."""

    def __init__(self, packed: Output) -> None:
        self._packed = packed

    @property
    def place(self) -> str:  # type: ignore[override]
        """See Output."""
        return self._packed.place

    def add(self, content: bytes, place: str) -> None:
        """See Output."""
        self._packed.add(gzip.compress(content, 1, mtime=0), place)

    def finish(self) -> None:
        """See Output."""
        self._packed.finish()
