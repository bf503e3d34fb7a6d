"""The supervisor's side of the launcher, on real processes."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.infrastructure.processes.child_processes import Child, SpawnedChild, kill, terminate
from app.infrastructure.processes.launcher_client import START_METHOD, ForkedChild, Launcher
from app.infrastructure.processes.parent_watch import parent_watch
from app.infrastructure.settings.start_errors import EX_CONFIG
from tests.support.waiting import lives, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process loads the code for itself")


def marquee(*arguments: str) -> Child:
    return Child("marquee", (sys.executable, "-P", "-m", "app.infrastructure.main", *arguments), marquee=arguments)


def nothing() -> None:
    """What a supervisor would do when a child has ended."""


@pytest.fixture
def watch_file() -> Iterator[int]:
    with parent_watch() as watch_file:
        yield watch_file


def launchers() -> list[int]:
    children = [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return [pid for pid in children if b"launcher" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_a_fork_runs_marquee_and_how_it_ended_is_told_once(watch_file: int, tmp_path: Path) -> None:
    ends: list[str] = []
    with Launcher("test") as launcher:
        good = await launcher.start(marquee("version"), watch_file, lambda: ends.append("good"))
        bad = await launcher.start(marquee("worker", "--config", str(tmp_path)), watch_file, lambda: ends.append("bad"))
        killed = await launcher.start(marquee("webhooks", "--help"), watch_file, nothing)
        kill(killed)  # at once, before it has a group of its own
        told = await launcher.start(marquee("webhooks", "--help"), watch_file, nothing)
        terminate(told)  # at once, before it has handlers of its own

        assert isinstance(good, ForkedChild)
        assert (await good.wait(), await bad.wait()) == (0, EX_CONFIG)
        assert (await killed.wait(), await told.wait()) == (-signal.SIGKILL, -signal.SIGTERM)
        assert sorted(ends) == ["bad", "good"]
        assert not any(lives(one.pid) for one in (good, bad, killed, told))
        (process,) = launchers()

    assert not lives(process)


async def test_a_launcher_that_cannot_begin_is_not_begun_again_and_children_are_spawned(watch_file: int) -> None:
    with Launcher("test") as launcher:
        until(lambda: bool(launchers()))  # the system shows its command a moment later
        os.kill(launchers()[0], signal.SIGKILL)

        child = await launcher.start(marquee("version"), watch_file, nothing)

        assert isinstance(child, SpawnedChild)
        assert not launcher.forks
        assert await child.wait() == 0
        assert launchers() == []


async def test_a_launcher_that_ended_later_is_replaced_and_its_children_live_on(watch_file: int) -> None:
    with Launcher("test") as launcher:
        first = await launcher.start(marquee("version"), watch_file, nothing)
        (ended,) = launchers()
        until(lambda: not lives(first.pid))
        os.kill(ended, signal.SIGKILL)

        second = await launcher.start(marquee("version"), watch_file, nothing)

        assert isinstance(second, ForkedChild)
        assert launchers() != [ended]
        assert (await first.wait(), await second.wait()) == (None, 0)


async def test_other_programs_are_spawned(watch_file: int) -> None:
    with Launcher("test") as launcher:
        child = await launcher.start(Child("other", ["true"]), watch_file, nothing)

        assert isinstance(child, SpawnedChild)
        assert await child.wait() == 0


async def test_whoever_runs_the_service_may_choose_to_spawn(watch_file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(START_METHOD, "spawn")

    with Launcher("test") as launcher:
        assert launchers() == []
        child = await launcher.start(marquee("version"), watch_file, nothing)

        assert isinstance(child, SpawnedChild)
        assert await child.wait() == 0
