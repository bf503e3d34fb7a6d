"""What goes on for long is said once, and said as what it is."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import structlog

from app.application.ports.system import LiveStateUnavailableError
from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from app.infrastructure.processes.child_processes import Child
from app.infrastructure.processes.supervisor import Supervisor
from app.infrastructure.settings.settings import Redis, Settings
from app.infrastructure.wiring.container import Container
from tests.support.waiting import lives, until

NO_ROOM = RedisOptions(minimum_free_bytes=2**60)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever server is left in it is killed."""
    yield tmp_path
    left = EmbeddedRedis(tmp_path).pid()
    if left:
        os.kill(left, signal.SIGKILL)


def kill(server: EmbeddedRedis) -> None:
    pid = server.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not lives(pid))


@pytest.mark.redis_server
def test_a_redis_that_ended_is_told_once_however_often_it_cannot_be_started(data: Path) -> None:
    with EmbeddedRedis(data) as well, EmbeddedRedis(data, NO_ROOM) as watched:
        said: list[int] = []
        for _ in range(2):
            kill(well)
            with structlog.testing.capture_logs() as logged:
                for _ in range(3):
                    with pytest.raises(EmbeddedRedisError, match="is full"):
                        watched.ensure()
            said.append(len([entry for entry in logged if "ended by itself" in entry["event"]]))
            with suppress(EmbeddedRedisError):
                well.ensure()
            watched.ensure()

    assert said == [1, 1]


async def test_a_complaint_in_which_only_figures_differ_is_the_same_complaint() -> None:
    loop, calls = asyncio.get_running_loop(), count(1)

    def watch() -> None:
        if (call := next(calls)) == 3:
            loop.call_soon_threadsafe(supervisor.stop)
        raise OSError(f"{4096 * call} bytes are left")

    supervisor = Supervisor([Child("sleeper", ("sleep", "60"))], watch=watch)
    with structlog.testing.capture_logs() as logged:
        await supervisor.run()

    complaints = [entry for entry in logged if "watch" in entry["event"]]
    assert [entry["reason"] for entry in complaints] == ["4096 bytes are left"]


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("embedded", "`marquee run` starts it again; if it does not, its log says why"),
        ("unix:///nowhere/redis.sock", "start it, or correct redis.url"),
    ],
)
async def test_who_cannot_reach_redis_is_told_what_to_do_about_this_one(url: str, remedy: str) -> None:
    container = Container(settings=Settings(redis=Redis(url=url)), redis_url="unix:///nowhere/redis.sock")

    for client in (container.redis(), container.blocking_redis()):
        with pytest.raises(LiveStateUnavailableError) as caught:
            await client.command("PING")
        await client.aclose()
        assert str(caught.value).endswith(f": {remedy}")
