"""The private places of an embedded Redis: its data, and a socket path that is short enough."""

import os
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path

from app.adapters.machine.private_files import close_to_others, make_private_directory
from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError

LONGEST_SOCKET_PATH = 103
"""Bytes of a unix socket's path that every system takes (Linux 107, macOS 103); Redis cuts longer ones silently."""


def make_redis_directory(data_dir: Path) -> Path:
    """Make `data_dir`/redis for us alone (mode 0700), with all above it, and return its real path.

    Raises:
        EmbeddedRedisError: it cannot be made or is not ours to write.
    """
    directory = (data_dir / "redis").resolve()
    try:
        make_private_directory(directory)
        if directory.stat().st_uid == os.geteuid():
            directory.chmod(0o700)
    except OSError as error:
        raise EmbeddedRedisError(_unusable(directory, error.strerror or str(error))) from error
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedRedisError(_unusable(directory, "it is not writable"))
    return directory


def close_files(directory: Path) -> None:
    """Close to others what a server left here under a wider umask: copies of it would be open."""
    for path in directory.rglob("*"):
        close_to_others(path)


def require_room(directory: Path, minimum_free_bytes: int) -> None:
    """Refuse to go on with a full disk: a Redis that promises to keep what it takes ends at the first failed write.

    Raises:
        EmbeddedRedisError: less than `minimum_free_bytes` are left.
    """
    status = os.statvfs(directory)
    free = status.f_bavail * status.f_frsize
    if free < minimum_free_bytes:
        raise EmbeddedRedisError(
            f"The disk of {directory} is full: {free} bytes are left, {minimum_free_bytes} are needed to begin with. "
            "Make room, or set service.data_dir to another disk."
        )


def socket_path(directory: Path) -> Path:
    """Say where the socket of a Redis directory is: inside, or when that is too long, in a short place of its own.

    The short place follows from the directory and the user alone, so that every process finds it.
    """
    inside = directory / "redis.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    name = blake2b(os.fsencode(directory), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"marquee-{os.geteuid()}-{name}" / "redis.sock"


def make_socket_directory(socket: Path) -> None:
    """Make the directory of a socket for us alone; one that is there already must be just that.

    Raises:
        EmbeddedRedisError: it is a link, belongs to somebody else, is open to others, or its path is too long as well.
    """
    directory = socket.parent
    if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        raise EmbeddedRedisError(
            f"{socket} is too long for a socket: set TMPDIR or service.data_dir to a shorter path."
        )
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise EmbeddedRedisError(_unusable(directory, error.strerror or str(error))) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise EmbeddedRedisError(
            f"{directory} is not a directory of ours alone (somebody may have put it there): remove it, "
            "or set service.data_dir to a shorter path."
        )


def _unusable(directory: Path, reason: str) -> str:
    return (
        f"Redis cannot keep its data in {directory}: {reason}. Set service.data_dir to a directory that you may write."
    )
