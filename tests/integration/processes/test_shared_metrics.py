"""The directories in which API processes add up their counters: one a supervisor, whatever became of others."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from app.infrastructure.processes.shared_metrics import shared_metrics

NAME = "PROMETHEUS_MULTIPROC_DIR"
KILLED = """
import os, signal, sys
from pathlib import Path
from app.infrastructure.processes.shared_metrics import shared_metrics
with shared_metrics(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def directories(data_dir: Path) -> list[Path]:
    return [path for path in (data_dir / "metrics").iterdir() if path.is_dir()]


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
