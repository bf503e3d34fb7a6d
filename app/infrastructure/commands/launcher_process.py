"""The launcher: a process that has loaded the code of all roles and forks them, so that they share it (ADR 0046).

It has one thread, no event loop and no connection. The supervisor (`launcher_client.py`) holds the other end of its one
socket, whose end ends it. Each message is a JSON object and gets one answer:

- `{"fork": [arguments of marquee], "set": {name: value}, "unset": [names], "fds": [numbers]}` with the open files and,
  last, one more that the child keeps open as long as it lives: `{"pid": N}`, or `{"errno": N}`.
- `{"reap": pid}`, of a child that ends: `{"status": N}`, the exit code or minus the signal; till then the id is kept.
"""

import ctypes
import fcntl
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from app.infrastructure.time_zones.zone_rules import use_pinned_rules

LOADED = (
    "app.infrastructure.roles.api_role",
    "app.infrastructure.roles.scheduler_role",
    "app.infrastructure.roles.worker_role",
    "app.infrastructure.roles.indexer_role",
    "app.infrastructure.wiring.indexing",
    "app.infrastructure.commands.role_commands",
    "app.infrastructure.commands.command_line",
    "app.infrastructure.roles.preparation",
    "sqlite3",
    "uvloop",
    *(("pydantic.v1",) if sys.version_info < (3, 14) else ()),
)
"""What all roles need, at the end what libraries load late; what only some settings need is loaded by who has them."""

MOST_BYTES = 1 << 16
"""Of a message."""
MOST_FILES = 16
OTHERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""These signals are for the supervisor and the children; the launcher goes when the supervisor goes."""


def main() -> None:
    """Load, then fork for the supervisor; in a child, run `marquee`."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.pthread_sigmask(signal.SIG_BLOCK, OTHERS)  # and not ignored: what a fork is sent at once must reach it
    load()
    name_process(["marquee", "launcher", *sys.argv[2:]])
    arguments = serve(control)
    if arguments is None:
        return
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OTHERS)
    from app.infrastructure.commands.command_line import run_command_line

    sys.argv[1:] = arguments
    run_command_line()


def load() -> None:
    """Load the code, and take it out of the garbage collector's sight: to look at an object is to copy its page.

    Raises:
        SystemExit: a library has started a thread, which would be missing in a fork.
    """
    gc.disable()
    use_pinned_rules()
    for module in LOADED:
        import_module(module)
    gc.freeze()
    if len(threads := list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit(f"marquee: the launcher has {len(threads)} threads and cannot fork")


def serve(control: socket.socket) -> Sequence[str] | None:
    """Answer until the supervisor is gone, then return None; in a child return the arguments that it is to run with."""
    while True:
        message, files, _, _ = socket.recv_fds(control, MOST_BYTES, MOST_FILES)
        if not message:
            return None
        asked = json.loads(message)
        if "reap" in asked:
            answer = {"status": _reap(int(asked["reap"]))}
        else:
            sys.stdout.flush()
            sys.stderr.flush()
            try:
                pid = os.fork()
            except OSError as error:
                answer = {"errno": error.errno}
            else:
                if not pid:
                    control.close()
                    _become(asked, files)
                    return list(asked["fork"])
                answer = {"pid": pid}
        for file in files:
            os.close(file)
        with suppress(BrokenPipeError):
            control.send(json.dumps(answer).encode())


def _reap(pid: int) -> int | None:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None


def _become(asked: Any, files: Sequence[int]) -> None:
    """Be in a child what a program that was just started would be."""
    os.setsid()
    _place(files, asked["fds"])
    for name in asked["unset"]:
        os.environ.pop(name, None)
    os.environ.update(asked["set"])
    gc.enable()
    _read_environment_again()
    name_process(["marquee", *asked["fork"]])


def _place(files: Sequence[int], numbers: Sequence[int]) -> None:
    """Give open files the numbers that the supervisor has them under; the last one, beyond, gets none."""
    above = max((*numbers, *files)) + 1
    moved = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, above) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(moved, numbers, strict=False):
        os.dup2(file, number, inheritable=True)
        os.close(file)


def _read_environment_again() -> None:
    """Let prometheus_client look where the counters are: it did when it was loaded."""
    from prometheus_client import values

    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]  # it says no types


def name_process(words: Sequence[str]) -> None:
    """Let `ps` and `top` say what a process does, in the room that the launcher's own command line has."""
    with suppress(OSError, ValueError):
        Path("/proc/self/comm").write_text(" ".join(words[:2])[:15], encoding="utf-8")
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        begin, end = int(fields[45]), int(fields[46])
        room = end - begin
        title = b"\0".join(word.encode() for word in words)[: room - 1]
        ctypes.memmove(begin, title.ljust(room, b"\0"), room)


if __name__ == "__main__":
    main()
