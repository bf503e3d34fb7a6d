"""The rows that an import could not use, in an NDJSON file: one object a row, made when the first one comes."""

import json
from collections.abc import Sequence
from pathlib import Path

from app.adapters.inbound.activity_files.source import STDIN, UsageMistakeError
from app.application.import_activities import ActivityFileError, RejectedRow, Rejects

BEGIN = b'{"line": '
"""How such a file begins."""


def rejects_path(file: Path) -> Path:
    """Choose where the rejects of a file go: beside it; those of standard input into the current folder."""
    return Path("import.rejects.ndjson") if file == STDIN else file.with_name(f"{file.name}.rejects.ndjson")


class RejectsFile(Rejects):
    """Writes `line`, `reason`, `code` and `row`, the row as it stands in the file.

    Raises:
        UsageMistakeError: something else stands at the path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
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
        lines = [
            json.dumps({"line": row.line, "reason": row.reason, "code": row.code, "row": row.text}, ensure_ascii=False)
            for row in rows
        ]
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            raise self._unwritable(error) from error

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


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(BEGIN)) in (BEGIN, b"")
    except OSError:
        return False
