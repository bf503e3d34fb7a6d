"""What stands in for a start of Marquee in most tests is a child like one that was started."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.processes.loaded import MAIN, START, can_be_forked
from tests.support.service import COMMAND, Installation, done
from tests.support.waiting import lives, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process is started anew")


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_it_says_and_ends_as_a_start_does(tmp_path: Path) -> None:
    command = (*COMMAND, "--config", str(tmp_path / "none.yaml"), "providers")

    forked, fresh = done(command), done(command, env={**os.environ, "PYTHONNODEBUGRANGES": "1"})

    assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)
    assert forked.returncode == 78


@pytest.mark.redis_server
def test_it_is_a_child_of_who_asked_in_a_session_of_its_own_and_ends_by_a_signal() -> None:
    with Installation() as installation:
        service = installation.start("worker")
        until(lambda: service.log)

        assert parent_of(service.pid) == os.getpid()
        assert os.getsid(service.pid) == service.pid
        service.signal(signal.SIGKILL)
        assert service.wait() == -signal.SIGKILL
        assert not lives(service.pid)


def test_it_has_its_own_directory_and_environment(tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"

    ended = done((*COMMAND, "users", "list"), cwd=tmp_path, env={**os.environ, "MARQUEE__SERVICE__DATA_DIR": str(data)})

    assert (ended.returncode, data.is_dir()) == (0, True)
    assert "MARQUEE__SERVICE__DATA_DIR" not in os.environ


@pytest.mark.parametrize(
    ("command", "added", "expected"),
    [
        ((*START, MAIN, "run"), {}, True),
        ((*START, MAIN, "run"), {"PYTHONUNBUFFERED": "1"}, True),
        ((*START, MAIN, "run"), {"PYTHONPATH": "/elsewhere"}, False),
        ((*START, MAIN, "run"), {"MARQUEE_START_METHOD": "spawn"}, False),
        ((*START, MAIN, "run"), {"COVERAGE_PROCESS_CONFIG": "{}"}, False),
        ((*START, "pip", "list"), {}, False),
        ((sys.executable, "-c", "pass"), {}, False),
    ],
)
def test_only_what_would_be_the_same_is_forked(
    command: tuple[str, ...], added: dict[str, str], *, expected: bool
) -> None:
    unchanged = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}

    assert can_be_forked(command, {**unchanged, **added}) is expected
