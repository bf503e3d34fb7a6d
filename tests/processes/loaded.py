"""Marquee's code, loaded once for many tests: a start costs a second and a half of a processor, a fork next to nothing.

`LoadedPopen` is a `subprocess.Popen` that has what would be `python -P -m app.infrastructure...` forked by a process
that has the code already. What comes out is a child like any other: its parent is who asked, it has the directory, the
environment, the open files and the session that it would have, and the launcher of a supervisor is forked, too.
Whatever Python reads at its own start has to be the same, else the process is started anew; so it is where no process
can be adopted (not on Linux).
"""

import atexit
import ctypes
import gc
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

REPOSITORY = Path(__file__).parents[2]
START = (sys.executable, "-P", "-m")
MAIN = "app.infrastructure.main"
COMMAND_LINE = "app.infrastructure.commands.command_line"
LAUNCHER = "app.infrastructure.commands.launcher_process"
"""Whose functions load the code and make a fork what a start would be."""
READ_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MARQUEE_START_METHOD")
"""Variables that begin so have done their work before the first line of ours runs, or are about starting itself."""
MEASURED = "COVERAGE_PROCESS_CONFIG"
"""Where coverage is measured in every process, each has to begin with it."""
_PR_SET_CHILD_SUBREAPER = 36
_MOST_BYTES = 1 << 17
_MOST_FILES = 16
_ONE_AT_A_TIME = threading.Lock()


class LoadedPopen(subprocess.Popen[Any]):
    """See the module; everything but how the process comes into being is `subprocess.Popen`'s."""

    address: ClassVar[str | None] = None
    """Where the loaded process listens; without one every process is started anew."""

    def _execute_child(self, args: Any, *others: Any) -> None:
        _, _, _, pass_fds, cwd, env, _, _, _, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = others[:15]
        start_new_session = others[20]
        environment = dict(os.environ if env is None else env)
        if not self.address or not can_be_forked(args, environment):
            super()._execute_child(args, *others)  # type: ignore[misc] # the one seam that Popen has
            return
        standard = [number if file == -1 else file for number, file in enumerate((p2cread, c2pwrite, errwrite))]
        order = {
            "module": args[3],
            "arguments": args[4:],
            "cwd": os.fspath(cwd or Path.cwd()),
            "environment": environment,
            "session": start_new_session,
            "numbers": [0, 1, 2, *pass_fds],
        }
        try:
            self.pid = _forked(self.address, order, [*standard, *pass_fds])
            self._child_created = True
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]


def can_be_forked(args: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a fork of the loaded process is what would be started."""
    return (
        tuple(args[:3]) == START
        and args[3] in (MAIN, LAUNCHER)
        and MEASURED not in environment
        and _read_at_the_start(environment) == _read_at_the_start(os.environ)
    )


def _read_at_the_start(environment: Mapping[str, str]) -> dict[str, str]:
    read = {name: value for name, value in environment.items() if name.startswith(READ_AT_THE_START)}
    read.pop("PYTHONUNBUFFERED", None)  # a fork can still heed it
    return read


@cache
def use_loaded_process() -> None:
    """Run the process that loads the code and forks, once for this process and no longer than it; on Linux alone."""
    if sys.platform != "linux":
        return
    directory = tempfile.TemporaryDirectory(prefix="mq-")
    address = f"{directory.name}/loaded"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(64)
        room = "." * 500  # for what `ps` shall say of the forks
        process = subprocess.Popen(
            (sys.executable, "-P", __file__, str(listening.fileno()), address, room),
            stdin=subprocess.PIPE,  # whose end ends it
            pass_fds=[listening.fileno()],
            start_new_session=True,
            cwd=REPOSITORY,
        )
    LoadedPopen.address = address
    atexit.register(directory.cleanup)
    atexit.register(process.communicate)


def _forked(address: str, order: Mapping[str, Any], files: Sequence[int]) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control, _adopting():
        control.connect(address)
        socket.send_fds(control, [json.dumps(order).encode()], [*files])
        return int(control.recv(64))


@contextmanager
def _adopting() -> Iterator[None]:
    """Be the parent of what the loaded process forks: it forks twice, and the one between ends."""
    with _ONE_AT_A_TIME:
        _subreaper(1)
        try:
            yield
        finally:
            _subreaper(0)


def _subreaper(value: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, value, 0, 0, 0)


def main() -> None:
    """Load, then fork for whoever asks; in a child, run what was asked for."""
    launcher = import_module(LAUNCHER)
    launcher.load()
    LoadedPopen.address = sys.argv[2]
    order = _serve(socket.socket(fileno=int(sys.argv[1])))
    if order is None:
        return
    sys.argv[1:] = order["arguments"]
    launcher.name_process(["marquee", *order["arguments"]])
    subprocess.Popen = LoadedPopen  # type: ignore[misc] # a supervisor's launcher is a fork, too
    if order["module"] == LAUNCHER:
        launcher.main()
    else:
        gc.enable()
        import_module(COMMAND_LINE).run_command_line()


def _serve(listening: socket.socket) -> Any:
    """Answer until the tests are gone, then return None; in a child return the order that it is to carry out."""
    while True:
        readable, _, _ = select.select([listening.fileno(), 0], [], [])
        if listening.fileno() not in readable:
            return None
        control, _ = listening.accept()
        with control:
            message, files, _, _ = socket.recv_fds(control, _MOST_BYTES, _MOST_FILES)
            read_end, write_end = os.pipe()
            if not (between := os.fork()):
                if pid := os.fork():
                    os.write(write_end, str(pid).encode())
                    os._exit(0)
                listening.close()
                os.close(read_end)
                os.close(write_end)
                control.close()
                order = json.loads(message)
                _become(order, files)
                return order
            os.waitpid(between, 0)  # only then has the child its new parent
            control.send(os.read(read_end, 64))
        for file in (read_end, write_end, *files):
            os.close(file)


def _become(order: Any, files: Sequence[int]) -> None:
    launcher = import_module(LAUNCHER)
    if order["session"]:
        os.setsid()
    launcher._place(files, order["numbers"])
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    launcher._read_environment_again()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through="PYTHONUNBUFFERED" in os.environ)  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
