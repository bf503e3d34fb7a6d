"""The embedded Redis, on real servers and real processes that are killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis
import structlog

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_binary import (
    EmbeddedRedisError,
)
from app.infrastructure.embedded_redis.redis_directory import make_socket_directory, socket_path
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from app.infrastructure.processes.file_lock import FileLock
from tests.support.redis_server import KINDS, VALKEY_9, require_server
from tests.support.waiting import is_stopped, lives, until

pytestmark = pytest.mark.redis_server

REPOSITORY = Path(__file__).parents[3]


@dataclass
class User:
    """A process of its own (tests/processes/redis_user.py)."""

    process: subprocess.Popen[str]

    def tell(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def do(self, word: str) -> str:
        self.tell(word)
        return self.answer()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(params=[VALKEY_9, *(pytest.param(kind, marks=pytest.mark.faults) for kind in KINDS[1:])])
def options(request: pytest.FixtureRequest) -> RedisOptions:
    return RedisOptions(binary=Path(require_server(request.param)))


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever server is left in it is killed."""
    path = tmp_path / "data"
    yield path
    left = EmbeddedRedis(path).pid() if path.exists() else None
    if left:
        os.kill(left, signal.SIGKILL)


@pytest.fixture
def a_user(data: Path, options: RedisOptions) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def start() -> User:
        command = [sys.executable, "-m", "tests.processes.redis_user", str(data), str(options.binary)]
        users.append(
            User(subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        )
        return users[-1]

    yield start
    for user in users:
        user.kill()
        with user.process:
            pass


def client_of(server: EmbeddedRedis) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True, socket_timeout=5)


def settings_of(server: EmbeddedRedis, *names: str) -> dict[str, str | None]:
    with closing(client_of(server)) as client:
        return {name: client.config_get(name)[name] for name in names}  # Redis 6.2 takes one at a time


def put(server: EmbeddedRedis, **values: str) -> None:
    with closing(client_of(server)) as client:
        client.mset(values)


def get(server: EmbeddedRedis, key: str) -> object:
    with closing(client_of(server)) as client:
        return client.get(key)


def kill(server: EmbeddedRedis) -> int:
    pid = server.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not lives(pid))
    return pid


def test_it_starts_ends_and_keeps_its_data(data: Path, options: RedisOptions) -> None:
    with EmbeddedRedis(data, options) as server:
        put(server, town="Madrid")
        pid = server.pid()

    assert pid
    assert not lives(pid)
    with EmbeddedRedis(data, options) as server:
        assert get(server, "town") == "Madrid"


def test_it_is_private_and_has_no_tcp_port(data: Path, options: RedisOptions) -> None:
    with EmbeddedRedis(data, options) as server:
        assert settings_of(server, "port", "save", "appendonly", "appendfsync", "maxmemory-policy") == {
            "port": "0",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
        }
        assert (data / "redis").stat().st_mode & 0o777 == 0o700
        assert (data / "redis" / "redis.sock").stat().st_mode & 0o777 == 0o700


def test_fsync_memory_and_further_directives_can_be_chosen(data: Path, options: RedisOptions) -> None:
    chosen = replace(options, fsync="everysec", further={"maxmemory": "64mb", "slowlog-max-len": "7"})

    with EmbeddedRedis(data, chosen) as server:
        settings = settings_of(server, "appendfsync", "maxmemory", "slowlog-max-len")

    assert settings == {"appendfsync": "everysec", "maxmemory": str(64 * 1024 * 1024), "slowlog-max-len": "7"}


def test_two_processes_share_a_server_and_the_last_one_out_stops_it(a_user: Callable[[], User]) -> None:
    first, second = a_user(), a_user()
    pid = int(first.do("start"))

    assert second.do("start") == str(pid)
    assert first.do("stop") == str(pid)
    assert lives(pid)
    assert second.do("stop") == "None"
    assert not lives(pid)


def test_a_user_who_comes_and_goes_does_not_take_the_server_away(a_user: Callable[[], User]) -> None:
    staying, passing = a_user(), a_user()
    pid = staying.do("start")

    for _ in range(3):
        assert passing.do("start") == pid
        assert passing.do("stop") == pid

    assert staying.do("pid") == pid


def test_a_killed_starter_leaves_the_server_usable_and_the_next_last_user_stops_it(a_user: Callable[[], User]) -> None:
    starter, other = a_user(), a_user()
    pid = int(starter.do("start"))
    other.do("start")

    starter.kill()

    assert other.do("pid") == str(pid)
    assert other.do("stop") == "None"
    assert not lives(pid)


def test_a_server_whose_users_were_all_killed_is_found_and_then_stopped(a_user: Callable[[], User]) -> None:
    killed = a_user()
    pid = int(killed.do("start"))
    killed.kill()

    later = a_user()

    assert later.do("start") == str(pid)
    assert later.do("stop") == "None"
    assert not lives(pid)


def test_a_killed_server_is_started_again_with_its_data_by_any_user(data: Path, a_user: Callable[[], User]) -> None:
    starter, other = a_user(), a_user()
    starter.do("start")
    other.do("start")
    view = EmbeddedRedis(data)
    put(view, town="Madrid")
    killed = kill(view)

    started = int(other.do("ensure"))

    assert started != killed
    assert starter.do("ensure") == str(started)
    assert get(view, "town") == "Madrid"


def test_users_who_notice_a_dead_server_at_once_start_one(data: Path, a_user: Callable[[], User]) -> None:
    users = [a_user() for _ in range(4)]
    for user in users:
        user.do("start")
    kill(EmbeddedRedis(data))

    for user in users:
        user.tell("ensure")

    assert len({int(user.answer()) for user in users}) == 1


def test_eight_processes_that_start_at_once_get_one_server(a_user: Callable[[], User]) -> None:
    users = [a_user() for _ in range(8)]

    for user in users:
        user.tell("start")
    pids = {user.answer() for user in users}

    assert len(pids) == 1
    for user in users:
        user.tell("stop")
    for user in users:
        user.answer()
    assert not lives(int(pids.pop()))


def test_what_a_kill_of_everything_leaves_behind_is_no_obstacle(
    data: Path, options: RedisOptions, a_user: Callable[[], User]
) -> None:
    user = a_user()
    user.do("start")
    view = EmbeddedRedis(data)
    put(view, town="Madrid")
    kill(view)
    user.kill()
    assert (data / "redis" / "redis.sock").exists()
    # The number in the stale pid file has meanwhile been given to a process that has nothing to do with us.
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (data / "redis" / "redis.pid").write_text(f"{stranger.pid}\n")

        with EmbeddedRedis(data, options) as server:
            assert get(server, "town") == "Madrid"

        assert stranger.poll() is None
        stranger.kill()


def test_a_half_written_last_command_does_not_keep_it_from_starting(data: Path, options: RedisOptions) -> None:
    with EmbeddedRedis(data, options) as server:
        put(server, first="kept")
        put(server, second="half written")
        kill(server)
        (log,) = [
            path
            for path in (data / "redis").rglob("appendonly.aof*")
            if path.is_file() and b"half" in path.read_bytes()
        ]
        os.truncate(log, log.stat().st_size - 5)

        server.ensure()

        assert get(server, "first") == "kept"
        assert get(server, "second") is None


def test_a_file_that_is_broken_in_the_middle_is_an_error_with_what_redis_says(
    data: Path, options: RedisOptions
) -> None:
    with EmbeddedRedis(data, options) as server:
        put(server, first="1")
        put(server, second="2")
    (log,) = [
        path for path in (data / "redis").rglob("appendonly.aof*") if path.is_file() and b"second" in path.read_bytes()
    ]
    log.write_bytes(log.read_bytes().replace(b"first", b"x\r\ny\r\n", 1))

    with pytest.raises(EmbeddedRedisError, match=r"(?s)Redis ended.*Bad file format"):
        EmbeddedRedis(data, options).start()


def test_a_server_that_reads_its_data_is_waited_for_and_says_how_far_it_is(data: Path, options: RedisOptions) -> None:
    slowly = replace(options, further={"key-load-delay": "50"})
    fill_slowly_loading(data, options)

    with structlog.testing.capture_logs() as logged, EmbeddedRedis(data, slowly) as server:
        assert get(server, "key19999") == "19999"

    assert [entry for entry in logged if entry["event"] == "redis reads its data"]


def test_a_server_that_reads_for_too_long_is_an_error_and_is_not_left_running(
    data: Path, options: RedisOptions
) -> None:
    slowly = replace(options, further={"key-load-delay": "100"}, loading_seconds=0.2)
    fill_slowly_loading(data, options)

    with pytest.raises(EmbeddedRedisError, match=r"still reads its data after 0\.2 s"):
        EmbeddedRedis(data, slowly).start()

    assert FileLock(data / "redis" / "server.lock").try_exclusive()


def fill_slowly_loading(data: Path, options: RedisOptions) -> None:
    with EmbeddedRedis(data, options) as server, closing(client_of(server)) as client:
        filling = client.pipeline(transaction=False)
        for number in range(20_000):
            filling.set(f"key{number}", number)
        filling.execute()


def test_a_server_that_hangs_is_not_joined_by_a_second_one(data: Path, options: RedisOptions) -> None:
    hasty = replace(options, starting_seconds=0.5)
    with EmbeddedRedis(data, options) as server, EmbeddedRedis(data, hasty) as user:
        pid = server.pid()
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: is_stopped(pid))
            for bring_up in (user.ensure, EmbeddedRedis(data, hasty).start):
                with pytest.raises(EmbeddedRedisError, match="runs but does not answer"):
                    bring_up()
        finally:
            os.kill(pid, signal.SIGCONT)

        server.ensure()
        assert server.pid() == pid


def test_directives_that_redis_refuses_are_an_error_with_what_redis_says(data: Path, options: RedisOptions) -> None:
    wrong = replace(options, further={"appendfsync": "sometimes"})

    with pytest.raises(EmbeddedRedisError, match=r"(?s)did not start.*appendfsync"):
        EmbeddedRedis(data, wrong).start()


def test_a_data_directory_with_a_path_too_long_for_a_socket_works(tmp_path: Path, options: RedisOptions) -> None:
    long = tmp_path / ("d" * 60) / ("e" * 60) / "with a space"

    with EmbeddedRedis(long, options) as server, EmbeddedRedis(long, options) as same:
        place = socket_path(long / "redis").parent
        assert place.parent == Path(tempfile.gettempdir())
        assert place.stat().st_mode & 0o777 == 0o700
        assert server.pid() == same.pid()
        put(server, town="Madrid")
        assert get(same, "town") == "Madrid"
    place.rmdir()


@pytest.mark.parametrize("planted", ["link", "open directory", "file"])
def test_a_short_socket_directory_that_somebody_planted_is_refused(tmp_path: Path, planted: str) -> None:
    place = tmp_path / "place"
    (tmp_path / "target").mkdir(mode=0o700)
    if planted == "link":
        place.symlink_to(tmp_path / "target")
    elif planted == "file":
        place.touch(mode=0o600)
    else:
        place.mkdir()
        place.chmod(0o755)

    with pytest.raises(EmbeddedRedisError, match=r"not a directory of ours alone|File exists"):
        make_socket_directory(place / "redis.sock")


def test_another_redis_on_our_socket_is_told_apart_and_left_alone(data: Path, options: RedisOptions) -> None:
    elsewhere = data.parent / "elsewhere"
    elsewhere.mkdir()
    (data / "redis").mkdir(parents=True)
    command = [str(options.binary), "--port", "0", "--dir", str(elsewhere), "--save", "", "--unixsocket"]
    place = data / "redis" / "redis.sock"
    with subprocess.Popen([*command, str(place)], stdout=subprocess.DEVNULL) as other:
        try:
            until(lambda: listens(place))

            with pytest.raises(EmbeddedRedisError, match="belongs to another Redis"):
                EmbeddedRedis(data, options).start()

            assert other.poll() is None
            place.unlink()
        finally:
            other.kill()


def listens(place: Path) -> bool:
    """Tell whether somebody takes connections there: the file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(place)) == 0


def test_nothing_but_our_own_socket_is_ever_contacted(data: Path, a_user: Callable[[], User]) -> None:
    user = a_user()
    user.do("start")
    kill(EmbeddedRedis(data))
    user.do("ensure")
    user.do("stop")

    assert user.do("contacted") == str(data / "redis" / "redis.sock")


def test_the_server_holds_no_file_of_its_starter_but_the_lock_that_says_it_lives(a_user: Callable[[], User]) -> None:
    user = a_user()
    files = Path("/proc") / user.do("start") / "fd"
    if not files.exists():
        return  # only Linux shows them

    held = {Path(file.readlink()).name for file in files.iterdir()}

    assert "server.lock" in held
    assert not {"users.lock", "start.lock"} & held


def test_the_server_is_out_of_reach_of_the_terminals_ctrl_c(data: Path, options: RedisOptions) -> None:
    with EmbeddedRedis(data, options) as server:
        pid = server.pid()
        assert pid
        assert os.getsid(pid) == pid
        assert os.getpgid(pid) != os.getpgid(0)


def test_a_data_directory_that_cannot_be_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedRedisError, match=r"cannot keep its data in .*file/redis: .*service\.data_dir"):
        EmbeddedRedis(tmp_path / "file").start()


def test_a_disk_with_too_little_room_is_an_error_before_anything_starts(data: Path) -> None:
    with pytest.raises(EmbeddedRedisError, match=r"is full: .* bytes are left"):
        EmbeddedRedis(data, RedisOptions(minimum_free_bytes=2**62)).start()

    assert not (data / "redis" / "redis.log").exists()


def test_a_user_who_did_not_start_cannot_ensure(data: Path) -> None:
    with pytest.raises(EmbeddedRedisError, match=r"start\(\) comes first"):
        EmbeddedRedis(data).ensure()


def test_a_lock_ends_with_its_holder_however_it_ends(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from app.infrastructure.processes.file_lock import FileLock; "
        "lock = FileLock(Path(sys.argv[1])); print(lock.try_exclusive(), flush=True); time.sleep(60)"
    )
    lock = FileLock(tmp_path / "lock")
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        assert not lock.try_shared()

        holder.kill()

    until(lock.try_shared)
    lock.release()
