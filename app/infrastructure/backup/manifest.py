"""What says of a backup what it holds: `backup.json`, written last, so that one without it is known to be cut off."""

import os
import shutil
from hashlib import file_digest
from pathlib import Path

import msgspec

from app.application.ports.copies import CopyError

FILE = "backup.json"
_FORMAT = 1


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    file: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup: when and by which version it was made, and its files; a store without a part is not in it."""

    format: int = _FORMAT
    made_at: str
    version: str
    schema: str
    history: Part
    redis: Part | None = None
    redis_server: str | None = None
    """Which server wrote it, such as `valkey 9.1.2`: an older one, or one of the other kind, may not read it."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it, for us alone."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    with own_file(folder / FILE).open("wb") as file:
        file.write(text + b"\n")
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Read it, and see that every file is the one that was written.

    Raises:
        CopyError: it is no backup, one of a newer version, or not whole.
    """
    try:
        manifest = msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)
    except OSError:
        raise CopyError(f"{folder} holds no whole backup: there is no {FILE} in it") from None
    except msgspec.DecodeError as error:
        raise CopyError(f"{folder / FILE} cannot be read: {error}") from None
    if manifest.format != _FORMAT:
        raise CopyError(f"{folder} was made by a newer Marquee ({manifest.version}): restore it with that one")
    for part in (manifest.history, manifest.redis):
        if part and part_of(folder / Path(part.file).name) != part:
            raise CopyError(f"{folder / part.file} is not the file that was backed up: the backup is damaged")
    return manifest


def part_of(path: Path) -> Part:
    """Describe a file.

    Raises:
        CopyError: it is not there.
    """
    try:
        with path.open("rb") as file:
            return Part(file=path.name, bytes=path.stat().st_size, sha256=file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise CopyError(f"{path} cannot be read: {error.strerror}") from None


def own_folder(path: Path) -> Path:
    """Make a directory for us alone, with all above it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def own_file(path: Path) -> Path:
    """Make an empty file for us alone, whatever lay there."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path


def copy_file(source: Path, target: Path) -> Path:
    """Copy a file for us alone, to the disk."""
    with source.open("rb") as read, own_file(target).open("wb") as written:
        shutil.copyfileobj(read, written, 1024 * 1024)
        written.flush()
        os.fsync(written.fileno())
    return target
