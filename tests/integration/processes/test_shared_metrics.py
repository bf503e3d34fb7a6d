"""The directories in which API processes add up their counters: one a supervisor, whatever became of others."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.infrastructure.processes.shared_metrics import metrics_place, shared_metrics

NAME = "PROMETHEUS_MULTIPROC_DIR"
KILLED = """
import os, signal, sys
from pathlib import Path
from app.infrastructure.processes.shared_metrics import shared_metrics
with shared_metrics(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def directories(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()]


def test_two_supervisors_on_one_directory_leave_each_others_counters_alone(tmp_path: Path) -> None:
    with ExitStack() as other:
        first = Path(other.enter_context(shared_metrics(tmp_path))[NAME])
        (first / "counter_1.db").write_bytes(b"1")
        with shared_metrics(tmp_path) as environment:
            assert environment[NAME] != os.fspath(first)
            assert (first / "counter_1.db").read_bytes() == b"1"
        assert directories(tmp_path) == [first]

    assert directories(tmp_path) == []


def test_what_a_killed_supervisor_left_behind_is_removed_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = directories(tmp_path)

    with shared_metrics(tmp_path) as environment:
        assert directories(tmp_path) == [Path(environment[NAME])]
        assert left != Path(environment[NAME])


def test_counters_lie_in_memory_so_that_a_full_disk_kills_nobody_who_counts(tmp_path: Path) -> None:
    place = metrics_place(tmp_path / "data", tmp_path)

    assert (place.parent, place.stat().st_mode & 0o777) == (tmp_path, 0o700)
    assert metrics_place(tmp_path / "data", tmp_path) == place, "it is there by now"


@pytest.mark.parametrize(
    "why", ["there is no such place", "it is open to others", "it leads elsewhere", "it is a file"]
)
def test_without_a_place_of_our_own_in_memory_they_lie_in_the_data_directory(tmp_path: Path, why: str) -> None:
    taken = metrics_place(tmp_path / "data", tmp_path)
    if why == "it is open to others":
        taken.chmod(0o755)
    else:
        taken.rmdir()
    if why == "it leads elsewhere":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        taken.symlink_to(tmp_path / "elsewhere")
    if why == "it is a file":
        taken.touch(mode=0o700)
    memory = tmp_path / "nowhere" if why == "there is no such place" else tmp_path

    assert metrics_place(tmp_path / "data", memory) == tmp_path / "data" / "metrics"
