"""Files and directories for us alone, whatever the umask."""

import os
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o077


def make_private_directory(path: Path) -> None:
    """Make a directory, and those above it that are missing, with mode 0700. One that is there stays as it is.

    Raises:
        OSError: it cannot be made, or is something else.
    """
    if path.is_dir():
        return
    if path.parent != path:
        make_private_directory(path.parent)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:  # another process of ours was quicker
        if not path.is_dir():
            raise
    else:
        path.chmod(0o700)


def make_private_file(path: Path) -> None:
    """Make an empty file with mode 0600 when it is missing; one that is there is closed to others.

    Raises:
        OSError: it cannot be made.
    """
    path.touch(mode=0o600)
    close_to_others(path)


def close_to_others(path: Path) -> None:
    """Take from group and others what they may do with a file or directory of ours; one that is gone is left so.

    Raises:
        OSError: its mode cannot be changed.
    """
    with suppress(FileNotFoundError):
        found = path.stat()
        if found.st_uid == os.geteuid() and found.st_mode & _OTHERS:
            path.chmod(found.st_mode & 0o700)
