"""The rows that an import could not use, in an NDJSON file: one object a row, made when the first one comes."""

import json
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from app.adapters.formats.terminal_text import visible_json
from app.adapters.inbound.activity_files.source import STDIN, UsageMistakeError
from app.application.import_activities import ActivityFileError, RejectedRow, Rejects

BEGIN = b'{"line": '
"""How such a file begins."""
LARGEST = 64 * 1024**2
"""Bytes; the rows of a whole file that cannot be used would fill a disk once more."""
LEFT_OUT = "left_out"
"""The code of a line that stands for rows."""


def rejects_path(file: Path) -> Path:
    """Choose where the rejects of a file go: beside it; those of standard input into the current folder."""
    return Path("import.rejects.ndjson") if file == STDIN else file.with_name(f"{file.name}.rejects.ndjson")


class RejectsFile(Rejects):
    """Writes `line`, `reason`, `code` and `row`, the row as it stands in the file.

    What would make it longer than `largest` bytes is left out: for those rows of a chunk there is one line, with the
    code `left_out`, that says how many they are.

    Raises:
        UsageMistakeError: something else stands at the path.
    """

    def __init__(self, path: Path, largest: int) -> None:
        self.path = path
        self.left_out = 0
        """Rows that this run has left out."""
        self._largest = largest
        if path.exists() and not _is_ours(path):
            raise UsageMistakeError(f"{path} exists and holds no rejects: choose another file with --rejects")

    def forget_from(self, line: int) -> None:
        """See Rejects. A file that would be empty is removed."""
        if not self.path.exists():
            return
        try:
            kept = self._lines_before(line)
            if kept:
                with self.path.open("r+b") as file:
                    file.truncate(kept)
            else:
                self.path.unlink()
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, rows: Sequence[RejectedRow]) -> None:
        """See Rejects."""
        lines = [_line(row.line, row.reason, row.code, row.text) for row in rows]
        try:
            with self.path.open("ab") as file:
                fit = self._fitting(lines, file.seek(0, 2))
                file.writelines(lines[:fit])
                if fit < len(lines):
                    file.write(self._instead_of(rows[fit:]))
        except OSError as error:
            raise self._unwritable(error) from error

    def _fitting(self, lines: Sequence[bytes], size: int) -> int:
        """Count the lines, from the first on, for which there is room."""
        ends = accumulate(map(len, lines), initial=size)
        return sum(end <= self._largest for end in ends) - 1 if size <= self._largest else 0

    def _instead_of(self, rows: Sequence[RejectedRow]) -> bytes:
        self.left_out += len(rows)
        reason = f"{len(rows):,} rejected rows are left out from here on: this file has its {self._largest:,} bytes"
        return _line(rows[0].line, reason, LEFT_OUT, "")

    def _lines_before(self, line: int) -> int:
        """Measure the beginning, in bytes, that holds whole rejects of lines before `line`."""
        kept = 0
        with self.path.open("rb") as file:
            for written in file:
                if not written.endswith(b"\n") or json.loads(written)["line"] >= line:
                    break
                kept += len(written)
        return kept

    def _unwritable(self, error: OSError) -> ActivityFileError:
        return ActivityFileError(f"{self.path} cannot be written ({error.strerror}): name another with --rejects")


def _line(line: int, reason: str, code: str, text: str) -> bytes:
    """Write a reject; it is for people too, so nothing in it steers their terminal."""
    told = {"line": line, "reason": reason, "code": code, "row": text}
    return f"{visible_json(json.dumps(told, ensure_ascii=False))}\n".encode()


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(BEGIN)) in (BEGIN, b"")
    except OSError:
        return False
