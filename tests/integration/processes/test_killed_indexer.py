"""Whenever a writer of the index file is killed, the file is whole, and of one moment."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from app.adapters.machine.index_place import PLACE
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.mapped_index_file import MappedIndexFile
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.processes.write_index import PLANS, PROVIDER, changed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

KILLS = 25
LONGEST = 0.2
"""Seconds from a turn on within which it is killed: a few turns take as long."""


def test_a_writer_that_is_killed_at_any_moment_leaves_a_whole_file_of_one_turn(tmp_path: Path) -> None:
    chance, turns = Random(85), [0]
    for _ in range(KILLS):
        said = killed_after(tmp_path, chance.uniform(0, LONGEST))
        turn = asyncio.run(turn_of_file(tmp_path))

        assert turn >= said > turns[-1]
        left = [path for path in (tmp_path / PLACE).parent.iterdir() if path.name != PLACE.name]
        assert [path.suffix for path in left] in ([], [".new"])
        turns.append(turn)


def killed_after(data_dir: Path, seconds: float) -> int:
    """Let a writer write, and kill it so long after its first turn; return the last turn that it said."""
    command = [sys.executable, "-m", "tests.processes.write_index", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        whole = [line for line in [first, *writer.stdout] if line.endswith("\n")]
    return int(whole[-1])


async def turn_of_file(data_dir: Path) -> int:
    """Start from the file as an API process does, and say which turn all of it is of."""
    index = LiveIndex(RENDERING)
    at = await MappedIndexFile(index, RENDERING, SystemClock(), data_dir).renew({})
    assert at
    turn = at[PROVIDER].sequence
    titles = [plan.title for plan in index.find(TimeWindow())]
    assert (len(titles), sorted(title for title in titles if title != "Still")) == (PLANS, changed(turn))
    return turn
