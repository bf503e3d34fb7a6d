"""Data folders that another server wrote: read when they can be, else refused before a file is opened."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redis

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from app.infrastructure.embedded_redis.server_version import FILE, ServerVersion, written_by
from tests.support.redis_server import KINDS, REDIS_6, REDIS_7, VALKEY_9, require_server
from tests.support.waiting import lives, until

pytestmark = pytest.mark.redis_server

OLD = [kind for kind in KINDS if kind != VALKEY_9]
KEYS = 2000


def options(kind: str) -> RedisOptions:
    return RedisOptions(binary=Path(require_server(kind)))


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever server is left in it is killed."""
    path = tmp_path / "data"
    yield path
    left = EmbeddedRedis(path).pid() if path.exists() else None
    if left:
        os.kill(left, signal.SIGKILL)


def client_of(server: EmbeddedRedis) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True, socket_timeout=5)


def fill(server: EmbeddedRedis, *, rewritten: bool) -> None:
    """Write the kinds that Marquee writes, as commands alone or rewritten with commands behind."""
    with closing(client_of(server)) as client:
        filling = client.pipeline(transaction=False)
        for number in range(KEYS):
            filling.hset(f"plan:{number}", mapping={"title": f"Plan {number}", "digest": "d" * 20})
        filling.zadd("due", {f"plan:{number}": number for number in range(KEYS)})
        filling.xadd("log", {"entry": "1"}, id="1-1")
        filling.xgroup_create("log", "workers", id="0")
        filling.xreadgroup("workers", "one", {"log": ">"})
        filling.execute()
        if rewritten:
            client.bgrewriteaof()
            until(lambda: not aof_is_being_rewritten(client))
        client.set("written", "last")


def aof_is_being_rewritten(client: redis.Redis) -> bool:
    info = client.info("persistence")
    return bool(info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"])


def is_whole(server: EmbeddedRedis) -> bool:
    with closing(client_of(server)) as client:
        pending = client.xpending("log", "workers")
        return (
            client.dbsize() == KEYS + 3
            and client.hget(f"plan:{KEYS - 1}", "title") == f"Plan {KEYS - 1}"
            and client.zcard("due") == KEYS
            and pending["pending"] == 1
            and client.get("written") == "last"
        )


def as_an_earlier_marquee_left_it(data: Path, kind: str, *, rewritten: bool) -> None:
    with EmbeddedRedis(data, options(kind)) as server:
        fill(server, rewritten=rewritten)
    (data / "redis" / FILE).unlink()  # it wrote no name


@pytest.mark.parametrize("rewritten", [False, True], ids=["commands", "rewritten"])
@pytest.mark.parametrize("kind", OLD)
def test_what_an_earlier_server_wrote_is_read_by_valkey_and_named(data: Path, kind: str, rewritten: bool) -> None:
    as_an_earlier_marquee_left_it(data, kind, rewritten=rewritten)
    found = written_by(data / "redis")
    assert found
    assert found.version[:2] == {REDIS_6: (6, 2), REDIS_7: (7, 0)}[kind]

    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        assert is_whole(server)

    assert (data / "redis" / FILE).read_text().startswith("valkey 9.")
    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        assert is_whole(server)


@pytest.mark.parametrize("kind", OLD)
def test_a_kill_at_any_moment_while_valkey_takes_over_loses_nothing(data: Path, kind: str) -> None:
    as_an_earlier_marquee_left_it(data, kind, rewritten=False)
    directory = data / "redis"

    for attempt in range(6):
        process = subprocess.Popen(
            [
                require_server(VALKEY_9),
                *("--dir", str(directory), "--port", "0", "--unixsocket", str(data.parent / "s")),
                *("--save", "", "--appendonly", "yes"),
                *("--appendfsync", "always", "--logfile", str(directory / "redis.log")),
            ]
        )
        time.sleep(0.02 * attempt)  # whichever step that is: making the folder, the list, the move, reading
        process.kill()
        process.wait()

    said = (directory / "redis.log").read_text()
    assert "Configured to not listen" not in said
    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        assert is_whole(server)


def test_a_move_that_was_cut_between_its_steps_is_finished(data: Path) -> None:
    if REDIS_6 not in KINDS:
        return  # only its single file is moved
    as_an_earlier_marquee_left_it(data, REDIS_6, rewritten=False)
    directory = data / "redis" / "appendonlydir"
    directory.mkdir()
    (directory / "appendonly.aof.manifest").write_text("file appendonly.aof seq 1 type b\n")

    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        assert is_whole(server)

    assert not (data / "redis" / "appendonly.aof").exists()


@pytest.mark.parametrize("reader", OLD)
def test_what_valkey_wrote_is_refused_to_an_older_server_before_it_opens_a_file(data: Path, reader: str) -> None:
    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        fill(server, rewritten=True)
    before = contents(data / "redis")

    with pytest.raises(EmbeddedRedisError, match=r"were written by Valkey 9\..*valkey-server of 9\.\d+ or later"):
        EmbeddedRedis(data, options(reader)).start()

    assert contents(data / "redis") == before
    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        assert is_whole(server)


@pytest.mark.parametrize("named", [True, False], ids=["by its name", "by its files"])
def test_what_redis_7_wrote_is_refused_to_6_which_would_start_empty(data: Path, named: bool) -> None:
    if REDIS_6 not in KINDS:
        return
    with EmbeddedRedis(data, options(REDIS_7)) as server:
        fill(server, rewritten=False)
    if not named:
        (data / "redis" / FILE).unlink()

    with pytest.raises(EmbeddedRedisError, match=r"were written by Redis 7\.0"):
        EmbeddedRedis(data, options(REDIS_6)).start()

    with EmbeddedRedis(data, options(REDIS_7)) as server:
        assert is_whole(server)


def test_a_server_that_dies_is_started_anew_by_the_one_that_reads_its_data(data: Path) -> None:
    with EmbeddedRedis(data, options(REDIS_7)) as server, EmbeddedRedis(data, options(VALKEY_9)) as newer:
        fill(server, rewritten=True)
        assert (data / "redis" / FILE).read_text().startswith("redis 7.")
        pid = server.pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        until(lambda: not lives(pid))

        newer.ensure()

        assert is_whole(newer)
        assert (data / "redis" / FILE).read_text().startswith("valkey 9.")


def test_a_name_that_cannot_be_read_is_as_good_as_none(data: Path) -> None:
    with EmbeddedRedis(data, options(VALKEY_9)) as server:
        fill(server, rewritten=False)
    (data / "redis" / FILE).write_text("")

    found = written_by(data / "redis")

    assert found
    assert (found.name, found.version[0]) == ("valkey", 9)


def test_a_folder_without_data_belongs_to_nobody(tmp_path: Path) -> None:
    assert written_by(tmp_path) is None


def test_a_folder_of_several_files_without_its_list_is_no_6(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()

    assert written_by(tmp_path) == ServerVersion("redis", (7, 0, 0))


def contents(directory: Path) -> dict[str, bytes]:
    found = {}
    for path in directory.rglob("*"):
        with suppress(OSError):
            found[str(path)] = path.read_bytes()
    return found
