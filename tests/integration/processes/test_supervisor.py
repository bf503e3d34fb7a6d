"""The supervisor and its children, who watch whether it lives, on real processes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog

from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError
from app.infrastructure.processes.child_processes import Child
from app.infrastructure.processes.parent_watch import until_supervisor_gone
from app.infrastructure.processes.supervisor import RestartBackoff, Supervisor
from app.infrastructure.settings.start_errors import EX_CONFIG
from tests.support.waiting import eventually, is_stopped, lives, until

REPOSITORY = Path(__file__).parents[3]
PROCESSES = REPOSITORY / "tests" / "processes"
QUICKLY = RestartBackoff(first=0.01, longest=0.02)


class Diary:
    """What the children of a test wrote (tests/processes/child.py)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pids(self, words: str = "started") -> list[int]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [int(line.split()[0]) for line in lines if line.split()[1:] == words.split()]

    def has_started(self, count: int) -> bool:
        return len(self.pids()) == count

    def a_child(self, kind: str, **env: str) -> Child:
        command = [sys.executable, "-S", str(PROCESSES / "child.py"), str(self.path), kind]
        return Child(kind, command, env, tuple(int(number) for number in env.values()))


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    """Whatever child is left at the end is killed."""
    kept = Diary(tmp_path / "diary")
    yield kept
    for pid in kept.pids():
        if lives(pid):
            os.kill(pid, signal.SIGKILL)


Run = Callable[[Supervisor], "asyncio.Task[int]"]
Supervise = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
async def running() -> AsyncIterator[Run]:
    tasks: list[asyncio.Task[int]] = []
    supervisors: list[Supervisor] = []

    def run(supervisor: Supervisor) -> "asyncio.Task[int]":
        supervisors.append(supervisor)
        tasks.append(asyncio.create_task(supervisor.run()))
        return tasks[-1]

    yield run
    for supervisor in supervisors:
        supervisor.stop(hurry=True)
    await asyncio.gather(*tasks)


async def test_a_child_that_was_killed_is_started_again(diary: Diary, running: Run) -> None:
    running(Supervisor([diary.a_child("polite")], backoff=QUICKLY))
    await eventually(diary.pids)
    killed = diary.pids()[0]

    os.kill(killed, signal.SIGKILL)

    await eventually(lambda: len(diary.pids()) == 2)
    assert diary.pids()[1] != killed


async def test_a_child_that_ends_by_itself_is_started_again_whatever_its_exit_code(diary: Diary, running: Run) -> None:
    running(Supervisor([diary.a_child("exit:0"), diary.a_child("exit:3")], backoff=QUICKLY))

    with structlog.testing.capture_logs() as logged:
        await eventually(lambda: len(diary.pids()) > 4)

    assert {"exit code 0", "exit code 3"} <= {entry.get("how") for entry in logged}


async def test_the_log_says_who_ended_how_and_when_it_starts_again(diary: Diary, running: Run) -> None:
    with structlog.testing.capture_logs() as logged:
        running(Supervisor([diary.a_child("polite")], backoff=QUICKLY))
        await eventually(diary.pids)
        os.kill(diary.pids()[0], signal.SIGKILL)
        await eventually(lambda: len(diary.pids()) == 2)

    (ended,) = [entry for entry in logged if "by itself" in entry["event"]]
    assert (ended["name"], ended["how"], ended["in_seconds"]) == ("polite", "killed by SIGKILL", 0.01)


def test_waiting_doubles_up_to_a_limit() -> None:
    backoff = RestartBackoff()

    assert [backoff.delay(failures) for failures in (1, 2, 3, 6, 7, 1000)] == [0.1, 0.2, 0.4, 3.2, 5.0, 5.0]


async def test_a_child_that_keeps_dying_is_started_ever_more_slowly(diary: Diary, running: Run) -> None:
    with structlog.testing.capture_logs() as logged:
        running(Supervisor([diary.a_child("exit:1")], backoff=RestartBackoff(first=0.05, longest=0.2)))
        await eventually(lambda: len(diary.pids()) == 5)

    waits = [entry["in_seconds"] for entry in logged if "in_seconds" in entry]
    assert waits[:4] == [0.05, 0.1, 0.2, 0.2]


async def test_a_child_that_ran_for_long_is_started_again_quickly(diary: Diary, running: Run) -> None:
    with structlog.testing.capture_logs() as logged:
        running(Supervisor([diary.a_child("polite")], backoff=RestartBackoff(first=0.05, longest=5, reset_after=0.01)))
        for count in (1, 2, 3):
            await eventually(partial(diary.has_started, count))
            os.kill(diary.pids()[-1], signal.SIGKILL)
        await eventually(lambda: len(diary.pids()) == 4)

    assert [entry["in_seconds"] for entry in logged if "in_seconds" in entry] == [0.05, 0.05, 0.05]


async def test_a_program_that_does_not_exist_is_said_and_harms_no_other_child(diary: Diary, running: Run) -> None:
    with structlog.testing.capture_logs() as logged:
        running(Supervisor([Child("missing", ["/no/such/program"]), diary.a_child("polite")], backoff=QUICKLY))
        await eventually(diary.pids)
        await eventually(lambda: [entry for entry in logged if entry.get("name") == "missing"])

    complaint = next(entry for entry in logged if entry.get("name") == "missing")
    assert "No such file" in complaint["how"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_lets_children_finish_their_work(diary: Diary, running: Run, number: signal.Signals) -> None:
    task = running(Supervisor([diary.a_child("polite"), diary.a_child("polite")]))
    await eventually(lambda: len(diary.pids()) == 2)

    os.kill(os.getpid(), number)

    assert await task == 0
    assert sorted(diary.pids("drained")) == sorted(diary.pids())
    assert not any(map(lives, diary.pids()))


async def test_a_stubborn_child_is_killed_after_the_drain_time(diary: Diary, running: Run) -> None:
    task = running(Supervisor([diary.a_child("stubborn"), diary.a_child("polite")], drain_seconds=2))
    await eventually(lambda: len(diary.pids()) == 2)
    began = time.monotonic()

    os.kill(os.getpid(), signal.SIGTERM)

    assert await task == 0
    assert time.monotonic() - began >= 2
    assert len(diary.pids("drained")) == 1
    assert not any(map(lives, diary.pids()))


async def test_a_second_ctrl_c_hurries(diary: Diary, running: Run) -> None:
    task = running(Supervisor([diary.a_child("stubborn")], drain_seconds=60))
    await eventually(diary.pids)

    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.2)
    assert lives(diary.pids()[0])
    os.kill(os.getpid(), signal.SIGINT)

    async with asyncio.timeout(5):
        assert await task == 0
    assert not lives(diary.pids()[0])


async def test_the_handlers_of_before_are_back_after_a_run(diary: Diary, running: Run) -> None:
    watched = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in watched]
    supervisor = Supervisor([diary.a_child("polite")])
    task = running(supervisor)
    await eventually(diary.pids)

    supervisor.stop()
    await task

    assert [signal.getsignal(number) for number in watched] == before


async def test_stopping_does_not_wait_for_a_child_that_waits_for_its_restart(diary: Diary, running: Run) -> None:
    supervisor = Supervisor([diary.a_child("exit:1")], backoff=RestartBackoff(first=60, longest=60))
    with structlog.testing.capture_logs() as logged:
        task = running(supervisor)
        await eventually(lambda: [entry for entry in logged if "started again" in entry["event"]])

    supervisor.stop()

    async with asyncio.timeout(5):
        assert await task == 0


async def test_a_wrong_configuration_ends_everything_with_the_same_code(diary: Diary, running: Run) -> None:
    task = running(Supervisor([diary.a_child("polite"), diary.a_child(f"exit:{EX_CONFIG}")]))

    async with asyncio.timeout(10):
        assert await task == EX_CONFIG

    assert len(diary.pids()) <= 2
    assert not any(map(lives, diary.pids()))


async def test_children_share_a_listening_socket_and_a_restart_loses_no_connection(diary: Diary, running: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child = diary.a_child("echo", LISTEN_FD=str(listening.fileno()))
        running(Supervisor([child], backoff=RestartBackoff(first=0.3)))
        await eventually(diary.pids)
        assert await asyncio.to_thread(greeting, listening) == str(diary.pids()[0])

        os.kill(diary.pids()[0], signal.SIGKILL)
        await eventually(lambda: not lives(diary.pids()[0]))
        answer = await asyncio.to_thread(greeting, listening)  # connects while nobody accepts

        assert answer == str(diary.pids()[1])


def greeting(listening: socket.socket) -> str:
    with socket.create_connection(listening.getsockname(), timeout=10) as connection:
        return connection.recv(100).decode()


async def test_two_children_answer_on_one_port(diary: Diary, running: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child = diary.a_child("echo", LISTEN_FD=str(listening.fileno()))
        running(Supervisor([child, child]))
        await eventually(lambda: len(diary.pids()) == 2)
        first, second = diary.pids()

        os.kill(first, signal.SIGSTOP)
        await eventually(lambda: is_stopped(first))
        answers = {await asyncio.to_thread(greeting, listening) for _ in range(5)}
        os.kill(first, signal.SIGCONT)

    assert answers == {str(second)}


async def test_the_watch_is_called_until_the_end_and_its_failures_do_no_harm(diary: Diary, running: Run) -> None:
    calls: list[float] = []

    def watch() -> None:
        calls.append(time.monotonic())
        raise RuntimeError("the thing that is watched is gone")

    supervisor = Supervisor([diary.a_child("polite")], watch=watch)
    with structlog.testing.capture_logs() as logged:
        task = running(supervisor)
        await eventually(lambda: len(calls) == 3)
        supervisor.stop()
        assert await task == 0

    assert calls[2] - calls[0] > 1.5
    complaints = [entry for entry in logged if "watch" in entry["event"]]
    assert [entry["reason"] for entry in complaints] == ["the thing that is watched is gone"]


async def test_a_process_without_a_supervisor_waits_for_ever() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(until_supervisor_gone(), 0.1)


@pytest.fixture
def supervise(diary: Diary) -> Iterator[Supervise]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*kinds: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.processes.supervise", str(diary.path), *kinds]
        started.append(subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_children_of_a_killed_supervisor_end_by_themselves(diary: Diary, supervise: Supervise) -> None:
    supervisor = supervise("attached", "attached")
    until(lambda: len(diary.pids("attached")) == 2)

    supervisor.kill()

    until(lambda: not any(map(lives, diary.pids())))
    assert sorted(diary.pids("alone")) == sorted(diary.pids())


def test_a_killed_child_does_not_make_its_siblings_believe_the_supervisor_gone(
    diary: Diary, supervise: Supervise
) -> None:
    supervise("attached", "attached")
    until(lambda: len(diary.pids("attached")) == 2)
    killed, other = diary.pids()

    os.kill(killed, signal.SIGKILL)

    until(lambda: len(diary.pids("attached")) == 3)
    assert lives(other)
    assert not diary.pids("alone")


def test_a_terminals_ctrl_c_reaches_the_supervisor_alone_and_everything_drains(
    diary: Diary, supervise: Supervise
) -> None:
    supervisor = supervise("polite", "polite")
    until(lambda: len(diary.pids()) == 2)

    os.killpg(supervisor.pid, signal.SIGINT)  # what a terminal does

    assert supervisor.wait(timeout=10) == 0
    assert sorted(diary.pids("drained")) == sorted(diary.pids())


def test_the_exit_code_of_a_wrong_configuration_becomes_the_supervisors(diary: Diary, supervise: Supervise) -> None:
    supervisor = supervise("polite", f"exit:{EX_CONFIG}")

    assert supervisor.wait(timeout=10) == EX_CONFIG
    assert not any(map(lives, diary.pids()))


async def test_children_run_while_it_is_seen_who_else_is_to_run(diary: Diary, running: Run) -> None:
    go_on, watched = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def others() -> list[Child]:
        await go_on.wait()
        return [diary.a_child("stubborn")]

    def watch() -> None:
        loop.call_soon_threadsafe(watched.set)

    running(Supervisor([diary.a_child("polite")], others=others, watch=watch, backoff=QUICKLY))
    await eventually(lambda: diary.has_started(1))
    assert not watched.is_set(), "there is nothing to be watched yet"
    go_on.set()

    await eventually(lambda: diary.has_started(2))
    await asyncio.wait_for(watched.wait(), 10)


async def test_what_keeps_the_others_from_running_ends_the_first_in_good_order_and_is_raised(
    diary: Diary,
) -> None:
    async def others() -> list[Child]:
        await eventually(lambda: diary.has_started(1))
        raise EmbeddedRedisError("no server")

    run = asyncio.create_task(Supervisor([diary.a_child("polite")], others=others).run())

    with pytest.raises(EmbeddedRedisError, match="no server"):
        await asyncio.wait_for(run, 20)
    assert diary.pids("drained") == diary.pids()


async def test_being_told_to_end_while_it_is_seen_who_else_is_to_run_undoes_that_first(diary: Diary) -> None:
    undone = asyncio.Event()

    async def others() -> list[Child]:
        try:
            await asyncio.sleep(3600)
        finally:
            undone.set()
        return [diary.a_child("stubborn")]

    supervisor = Supervisor([diary.a_child("polite")], others=others)
    run = asyncio.create_task(supervisor.run())
    await eventually(lambda: diary.has_started(1))
    supervisor.stop()

    assert await asyncio.wait_for(run, 20) == 0
    assert undone.is_set()
    assert len(diary.pids()) == 1
