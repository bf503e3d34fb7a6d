"""The supervisor's side of the launcher: has it fork children, and starts another one when it ends (ADR 0046)."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self, cast

import structlog

from app.infrastructure.processes.child_processes import Child, RunningChild, spawn
from app.infrastructure.processes.parent_watch import PARENT_WATCH_VARIABLE

log = structlog.get_logger()

START_METHOD = "MARQUEE_START_METHOD"
"""`fork` or `spawn`: how the processes of `marquee run` are started; else by what the system bears."""


def can_fork() -> bool:
    """Whether a process may go on in a fork; Apple's libraries do not bear it."""
    chosen = os.environ.get(START_METHOD)
    return chosen == "fork" if chosen in ("fork", "spawn") else sys.platform == "linux"


class LauncherGoneError(Exception):
    """It has ended; what it was asked is not known to have been done."""


class Launcher:
    """A context manager around a launcher; it begins to load the code when it is made, and no call waits for that.

    A launcher that ends by itself is replaced, and its children live on; one that ends before it ever answered is not:
    children are spawned from then on.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._environment = dict(os.environ)
        self._turn = asyncio.Lock()
        self.forks = can_fork()
        """Whether it does, as far as is known."""
        self._answered = False
        if self.forks:
            self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.forks:
            self._end()

    async def start(self, child: Child, watch_file: int, on_end: Callable[[], None]) -> RunningChild:
        """See `children.Start`."""
        while self.forks and child.marquee is not None:
            with suppress(LauncherGoneError):
                return await self._fork(child, watch_file, on_end)
        return await spawn(child, watch_file, on_end)

    async def status_of(self, pid: int) -> int | None:
        """Ask how a child that has ended did; None when its launcher is gone."""
        if self.forks:
            with suppress(LauncherGoneError):
                answer = await self._ask({"reap": pid})
                return cast("int | None", answer["status"])
        return None

    async def _fork(self, child: Child, watch_file: int, on_end: Callable[[], None]) -> RunningChild:
        env = {**os.environ, **child.env, PARENT_WATCH_VARIABLE: str(watch_file)}
        order = {
            "fork": list(child.marquee or ()),
            "set": {name: value for name, value in env.items() if self._environment.get(name) != value},
            "unset": [name for name in self._environment if name not in env],
            "fds": [*child.pass_fds, watch_file],
        }
        read_end, write_end = os.pipe()
        try:
            answer = await self._ask(order, [*child.pass_fds, watch_file, write_end])
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        if "errno" in answer:
            os.close(read_end)
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        return ForkedChild(int(answer["pid"]), read_end, self, on_end)

    async def _ask(self, order: Mapping[str, Any], files: list[int] | None = None) -> Any:
        """Send an order and wait for its answer, one at a time.

        Raises:
            LauncherGoneError: it ended.
        """
        async with self._turn:
            try:
                socket.send_fds(self._control, [json.dumps(order).encode()], files or [])
                answer = await asyncio.get_running_loop().sock_recv(self._control, 4096)
            except OSError:
                answer = b""
            except asyncio.CancelledError:
                self._control.close()  # the answer would be taken for that of the next order
                raise
            if not answer:
                self._replace()
                raise LauncherGoneError
            if not self._answered:
                self._answered = True
                log.info("launcher has loaded the code", name="launcher", pid=self._process.pid)
            return json.loads(answer)

    def _begin(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(0)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "app.infrastructure.commands.launcher_process",
                    str(theirs.fileno()),
                    self._name,
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def _end(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _replace(self) -> None:
        """Begin another one in place of one that ended."""
        self._end()
        if self._answered:
            log.warning("the launcher ended by itself, another one is started")
            self._answered = False
            self._begin()
        else:
            log.warning("the launcher cannot start, so every process loads the code for itself")
            self.forks = False


class ForkedChild:
    """A RunningChild of the launcher: it holds one end of a pipe as long as it lives, and we hold the other."""

    def __init__(self, pid: int, pipe: int, launcher: Launcher, on_end: Callable[[], None]) -> None:
        self.pid = pid
        self._pipe = pipe
        self._launcher = launcher
        self._on_end = on_end
        self._gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(pipe, self._see_end)

    def ended(self) -> bool:
        """See RunningChild."""
        return self._gone.is_set()

    async def wait(self) -> int | None:
        """See RunningChild."""
        await self._gone.wait()
        return await self._launcher.status_of(self.pid)

    def _see_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
        self._gone.set()
        self._on_end()
