"""A process that uses the embedded Redis of DATA and does what it is told on its standard input, a word per line.

It answers each word with one line. At the end of its input it leaves.
"""

import sys
from pathlib import Path

import structlog

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError
from app.infrastructure.embedded_redis.redis_server import RedisOptions

contacted: set[str] = set()


def note_contact(name: str, arguments: tuple[object, ...]) -> None:
    if name in {"socket.connect", "socket.sendto", "socket.bind"}:
        contacted.add(str(arguments[1]))


def obey(redis: EmbeddedRedis, word: str) -> str:
    try:
        if word == "contacted":
            return " ".join(sorted(contacted))
        if word != "pid":
            getattr(redis, word)()
        return str(redis.pid())
    except EmbeddedRedisError as error:
        return f"error: {error}".replace("\n", " | ")


def main() -> None:
    sys.addaudithook(note_contact)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    redis = EmbeddedRedis(Path(sys.argv[1]), RedisOptions(binary=Path(sys.argv[2])))
    for line in sys.stdin:
        print(obey(redis, line.strip()), flush=True)  # noqa: T201 - the answer
    redis.stop()


if __name__ == "__main__":
    main()
