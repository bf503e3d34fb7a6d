"""The document that was read last, kept on disk: a calendar says more on another day, though it stayed the same."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from app.adapters.machine.private_files import make_private_directory


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """One document in a folder of its own. It is a cache: whatever happens to it, the source can be asked again."""

    folder: Path

    def keep(self, file: IO[bytes], content: str) -> None:
        """Keep a document, known by the digest of its content, in place of the one before; or do without."""
        with suppress(OSError):
            make_private_directory(self.folder)
            if not self._path(content).exists():
                self._write(file, content)
            self._forget_others(self._path(content))

    def open(self, content: str) -> IO[bytes] | None:
        """Open the document with this content; None when it is not here. Whoever gets it closes it."""
        try:
            return self._path(content).open("rb")
        except OSError:
            return None

    def forget(self) -> None:
        """Keep nothing."""
        with suppress(OSError):
            self._forget_others(None)

    def _write(self, file: IO[bytes], content: str) -> None:
        with NamedTemporaryFile(dir=self.folder, delete=False) as written:
            part = Path(written.name)
            try:
                file.seek(0)
                shutil.copyfileobj(file, written)
            except OSError:
                part.unlink()
                raise
        part.replace(self._path(content))

    def _forget_others(self, kept: Path | None) -> None:
        for path in self.folder.iterdir():
            if path != kept:
                path.unlink(missing_ok=True)

    def _path(self, content: str) -> Path:
        return self.folder / blake2b(content.encode(), digest_size=16).hexdigest()
