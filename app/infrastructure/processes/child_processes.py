"""Processes that a supervisor keeps: what is to run, how it is started, and what is known of one that runs."""

import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.infrastructure.processes.parent_watch import PARENT_WATCH_VARIABLE


@dataclass(frozen=True, slots=True)
class Child:
    """A process to be kept running. It gets SIGTERM when it is to end, and a parent watch (`until_supervisor_gone`)."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Set beside what the supervisor's own environment has."""
    pass_fds: Sequence[int] = ()
    """Open files that it inherits under the same numbers, such as a listening socket that all API processes share:
    as the supervisor holds it too, connections wait in its queue while a child is started again."""
    marquee: Sequence[str] | None = None
    """What `command` gives to `marquee`, when it is that: a launcher then need not start another Python for it."""


class RunningChild(Protocol):
    """A child that was started. Its id is its own until `wait` has returned, so that signals reach nobody else."""

    pid: int

    def ended(self) -> bool:
        """Whether it has."""

    async def wait(self) -> int | None:
        """Say the exit code of one that has ended, or minus the signal that killed it; None when nobody knows."""


Start = Callable[[Child, int, Callable[[], None]], Awaitable[RunningChild]]
"""Starts a child: in a session of its own, with nothing on its standard input, and the parent watch of that number.
The function is called when the child, or any other, has ended.

Raises:
    OSError: it cannot be started.
"""


class SpawnedChild:
    """A RunningChild that runs another program."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.pid = process.pid

    def ended(self) -> bool:
        """See RunningChild. SIGCHLD tells when it is worth asking."""
        return self._process.poll() is not None

    async def wait(self) -> int | None:
        """See RunningChild."""
        return self._process.wait()


async def spawn(child: Child, watch_file: int, on_end: Callable[[], None]) -> RunningChild:  # noqa: ARG001 - see below
    """Run a child's command; its end comes as SIGCHLD, which the supervisor hears by itself."""
    return SpawnedChild(
        subprocess.Popen(  # noqa: ASYNC220, S603 - takes a millisecond; the commands of our own roles, no shell
            child.command,
            env={**os.environ, **child.env, PARENT_WATCH_VARIABLE: str(watch_file)},
            stdin=subprocess.DEVNULL,
            pass_fds=(*child.pass_fds, watch_file),
            start_new_session=True,
        )
    )


def kill(child: RunningChild) -> None:
    """End a child that still runs, and all that it started, at once."""
    if not child.ended():
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no group of its own yet, and nothing else in it
            os.kill(child.pid, signal.SIGKILL)


def terminate(child: RunningChild) -> None:
    """Ask a child that still runs to end."""
    if not child.ended():
        os.kill(child.pid, signal.SIGTERM)
