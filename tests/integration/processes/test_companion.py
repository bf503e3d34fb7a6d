"""A process beside one that has no supervisor."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from app.infrastructure.processes.child_processes import Child
from app.infrastructure.processes.companion import Companion
from app.infrastructure.processes.supervisor import RestartBackoff
from tests.support.waiting import eventually, lives

PROGRAM = Path(__file__).parents[2] / "processes" / "child.py"
QUICKLY = RestartBackoff(first=0.01, longest=0.02)
Run = Callable[[Coroutine[Any, Any, None]], None]
"""On an event loop; API processes run on uvloop, which keeps SIGCHLD for itself."""


class Kept:
    """A companion, and what its processes wrote (tests/processes/child.py)."""

    def __init__(self, diary: Path, kind: str, drain: float = 20.0) -> None:
        self._diary = diary
        command = [sys.executable, "-S", str(PROGRAM), str(diary), kind]
        self.companion = Companion(Child(kind, command), drain, QUICKLY)

    def pids(self, words: str = "started") -> list[int]:
        lines = self._diary.read_text().splitlines() if self._diary.exists() else []
        return [int(line.split()[0]) for line in lines if line.split()[1:] == [words]]


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Path]:
    """Whatever is left at the end is killed."""
    path = tmp_path / "diary"
    yield path
    for line in path.read_text().splitlines() if path.exists() else ():
        if lives(pid := int(line.split()[0])):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_is_started_again_when_it_ends_and_ends_its_work_when_it_is_told(diary: Path, run: Run) -> None:
    kept = Kept(diary, "polite")

    async def live() -> None:
        running = asyncio.create_task(kept.companion())
        await eventually(kept.pids)
        os.kill(kept.pids()[0], signal.SIGKILL)
        await eventually(lambda: len(kept.pids()) == 2)
        kept.companion.end()
        await asyncio.wait_for(running, 10)

    run(live())

    assert kept.pids("drained") == kept.pids()[1:]
    assert not any(map(lives, kept.pids()))


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_one_that_does_not_end_in_time_is_killed_with_whoever_started_it(diary: Path, run: Run) -> None:
    kept = Kept(diary, "stubborn", drain=0.2)

    async def live() -> None:
        running = asyncio.create_task(kept.companion())
        await eventually(kept.pids)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await eventually(lambda: not lives(kept.pids()[0]))

    run(live())


async def test_a_program_that_cannot_be_started_is_tried_again_and_harms_nobody(diary: Path) -> None:
    companion = Companion(Child("gone", [str(diary / "nothing")]), 1.0, QUICKLY)
    running = asyncio.create_task(companion())

    await asyncio.sleep(0.1)
    assert not running.done()
    companion.end()

    await asyncio.wait_for(running, 5)
