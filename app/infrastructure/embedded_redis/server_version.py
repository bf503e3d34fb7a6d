"""Which server a data folder was written by, and which servers read it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = "server.version"
"""Beside the data: the name and version of the server that was started there last, such as `valkey 9.1.2`."""

_NAMED = re.compile(r"(redis|valkey)[ ](\d+)\.(\d+)\.(\d+)\s*")
_BANNER = re.compile(r"\b(Redis|Valkey) server v=(\d+)\.(\d+)(?:\.(\d+))?")
_BASE = re.compile(r"^file (\S+) seq \d+ type b\b", re.MULTILINE)
_WRITER = re.compile(rb"(redis|valkey)-ver[\x01-\x3f](\d+)\.(\d+)\.(\d+)")
_HEADER_BYTES = 256


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """A server by its name and version, as `Redis 7.0.15` in messages."""

    name: Literal["redis", "valkey"]
    version: tuple[int, int, int]
    """Major, minor, patch."""

    def reads(self, writer: "ServerVersion") -> bool:
        """Tell whether it reads what `writer` wrote: its own kind's up to its minor version.

        Valkey also reads what Redis wrote before 7.4, from which on the formats part (RDB 12; Valkey's own is 80).
        """
        if self.name == writer.name:
            return self.version[:2] >= writer.version[:2]
        return self.name == "valkey" and writer.version < (7, 4, 0)

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.name.capitalize()} {'.'.join(map(str, self.version))}"


OLDEST = ServerVersion("redis", (6, 2, 0))
"""XAUTOCLAIM and the rest of what Marquee asks of a server. Every Valkey is newer."""
_FIRST_WITH_A_FOLDER = ServerVersion("redis", (7, 0, 0))


def said_by_program(banner: str) -> ServerVersion | None:
    """Read what a server says at `--version`; None when it is neither Redis nor Valkey."""
    return _server(_BANNER.search(banner))


def written_by(directory: Path) -> ServerVersion | None:
    """Say which server wrote the data of a directory, as it is named there, else by its files; None without data.

    Raises:
        OSError: the files cannot be read.
    """
    named = directory / FILE
    server = _server(_NAMED.fullmatch(named.read_text(errors="replace"))) if named.exists() else None
    return server or _by_files(directory)


def name_writer(directory: Path, server: ServerVersion) -> None:
    """Write down, on the disk before it starts, which server is about to write to a directory.

    Raises:
        OSError: it cannot be written.
    """
    text = f"{server.name} {'.'.join(map(str, server.version))}\n"
    named, new = directory / FILE, directory / f"{FILE}.new"
    if named.exists() and named.read_text(errors="replace") == text:
        return
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - with a mode
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(named)
    _keep_names(directory)


def _by_files(directory: Path) -> ServerVersion | None:
    """Tell from the append-only files of a folder that has no name yet (an earlier Marquee's)."""
    manifest = directory / "appendonlydir" / "appendonly.aof.manifest"
    if manifest.exists():
        base = _BASE.search(manifest.read_text(errors="replace"))
        writer = _in_header(manifest.parent / base[1]) if base else None
        return writer if writer and writer.version >= _FIRST_WITH_A_FOLDER.version else _FIRST_WITH_A_FOLDER
    if (directory / "appendonlydir").exists() and not (directory / "appendonly.aof").exists():
        return _FIRST_WITH_A_FOLDER
    if (directory / "appendonly.aof").exists():
        return _in_header(directory / "appendonly.aof") or OLDEST
    return None


def _in_header(file: Path) -> ServerVersion | None:
    """Read who wrote the binary part that an append-only file begins with once it has been rewritten."""
    try:
        with file.open("rb") as opened:
            found = _WRITER.search(opened.read(_HEADER_BYTES))
    except FileNotFoundError:
        return None
    return _made(*(part.decode() for part in found.groups())) if found else None


def _server(found: re.Match[str] | None) -> ServerVersion | None:
    return _made(*found.groups(default="0")) if found else None


def _made(name: str, major: str, minor: str, patch: str) -> ServerVersion:
    return ServerVersion("valkey" if name.lower() == "valkey" else "redis", (int(major), int(minor), int(patch)))


def _keep_names(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
