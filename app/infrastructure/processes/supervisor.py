"""The supervisor: runs the roles as processes of their own, restarts one that dies, ends them all when it ends."""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from typing import TypeVar

import structlog

from app.domain.backoff import Backoff
from app.infrastructure.processes.child_processes import Child, RunningChild, Start, kill, spawn, terminate
from app.infrastructure.processes.parent_watch import parent_watch
from app.infrastructure.settings.start_errors import EX_CONFIG

log = structlog.get_logger()

_WATCH_SECONDS = 1.0
T = TypeVar("T")
_FIGURE = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class RestartBackoff(Backoff):
    """How long to wait before a child is started again, in seconds."""

    first: float = 0.1
    longest: float = 5.0
    reset_after: float = 10.0
    """A child that ran this long begins at `first` again."""


@dataclass(eq=False)
class Supervisor:
    """Keeps children running until SIGTERM, SIGINT or SIGHUP comes, or `stop` is called.

    Then each child gets SIGTERM and `drain_seconds` to end, after which it and its process group get SIGKILL; a second
    Ctrl-C does that at once. Every child is in a session of its own, so that a terminal's Ctrl-C is for the supervisor
    alone. `others` says who is to run besides `children`, after whatever has to be seen to first: these run meanwhile.
    `watch` is called in a thread about once a second from then on, until the last child has ended; what it raises is
    logged and does no harm. Runs on asyncio's own event loop (uvloop keeps SIGCHLD for itself).
    """

    children: Sequence[Child]
    _: KW_ONLY
    drain_seconds: float = 10.0
    others: Callable[[], Awaitable[Sequence[Child]]] | None = None
    watch: Callable[[], None] | None = None
    backoff: RestartBackoff = RestartBackoff()
    start: Start = spawn
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _hurrying: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _happened: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _begun: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _exit_code: int = field(default=0, init=False)
    _error: Exception | None = field(default=None, init=False)

    async def run(self) -> int:
        """Run until told to stop and all children have ended; once, and in the main thread because of the signals.

        Returns:
            The exit code for the process: 0, or 78 when a child found the configuration to be wrong.

        Raises:
            Exception: what `others` raised, after all children have ended.
        """
        with self._signals(), parent_watch() as watch_file:
            drained = asyncio.Event()
            watching = asyncio.create_task(self._keep_watching(drained))
            try:
                async with asyncio.TaskGroup() as group:
                    for child in self.children:
                        group.create_task(self._keep(child, watch_file))
                    for child in await self._all_others():
                        group.create_task(self._keep(child, watch_file))
            finally:
                drained.set()
                self._begun.set()
                await watching
        if self._error:
            raise self._error
        return self._exit_code

    def stop(self, *, hurry: bool = False) -> None:
        """End all children; with `hurry` without giving them time."""
        self._stopping.set()
        if hurry:
            self._hurrying.set()
        self._wake()

    async def _all_others(self) -> Sequence[Child]:
        """Ask for them; nobody when we are told to stop meanwhile, or when they cannot be had."""
        if self.others is None:
            self._begun.set()
            return ()
        asking = asyncio.ensure_future(self.others())
        try:
            found = await self._unless_stopped(asking)
        except Exception as error:  # noqa: BLE001 - raised again, when nothing runs any more
            self._error = error
            self.stop()
            return ()
        finally:
            await asyncio.wait((asking,))  # what it was at is undone first
        self._begun.set()
        return found or ()

    async def _keep(self, child: Child, watch_file: int) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            how = await self._run_once(child, watch_file)
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - began >= self.backoff.reset_after else failures + 1
            delay = self.backoff.delay(failures)
            log.warning("child ended by itself, it is started again", name=child.name, how=how, in_seconds=delay)
            await _wait(self._stopping, delay)

    async def _run_once(self, child: Child, watch_file: int) -> str:
        """Run a child until it ends, by itself or because we stop, and say in words how it did."""
        try:
            running = await self._started(child, watch_file)
        except OSError as error:
            return f"could not be started: {error}"
        if running is None:
            return "not started"
        log.info("child started", name=child.name, pid=running.pid)
        try:
            await self._until_ended_or(running, self._stopping)
            if not running.ended():
                await self._drain(child, running)
        finally:  # nothing of ours outlives us, not even when this task is cancelled
            kill(running)
        code = await running.wait()
        how = _how_it_ended(code)
        if code == EX_CONFIG and not self._stopping.is_set():
            log.error("child finds the configuration to be wrong, everything ends", name=child.name, how=how)
            self._exit_code = EX_CONFIG
            self.stop()
        elif self._stopping.is_set():
            log.info("child ended", name=child.name, how=how)
        return how

    async def _started(self, child: Child, watch_file: int) -> RunningChild | None:
        """Start a child; None when we are told to stop before it has."""
        return await self._unless_stopped(asyncio.ensure_future(self.start(child, watch_file, self._wake)))

    async def _unless_stopped(self, work: "asyncio.Future[T]") -> T | None:
        waiting = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else None
        finally:
            waiting.cancel()
            work.cancel()

    async def _drain(self, child: Child, running: RunningChild) -> None:
        terminate(running)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.drain_seconds):
                await self._until_ended_or(running, self._hurrying)
        if not running.ended():
            waited = "no longer waited for" if self._hurrying.is_set() else f"did not end in {self.drain_seconds:g} s"
            log.warning("child is killed", name=child.name, why=waited)

    async def _until_ended_or(self, running: RunningChild, told: asyncio.Event) -> None:
        # Whatever happens is told in the loop, never between asking and waiting: nothing is missed.
        while not running.ended() and not told.is_set():
            await self._happened.wait()

    async def _keep_watching(self, drained: asyncio.Event) -> None:
        complaint = None
        await self._begun.wait()
        while self.watch and not drained.is_set():
            try:
                await asyncio.to_thread(self.watch)
                complaint = None
            except Exception as error:  # noqa: BLE001 - a watch that fails must not take the children with it
                before, complaint = complaint, _FIGURE.sub("", str(error))  # bytes that are left vary
                if complaint != before:  # once, not every second
                    log.error("watch failed, it is tried again", reason=str(error))  # noqa: TRY400 - expected: no trace
            await _wait(drained, _WATCH_SECONDS)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        wanted = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
            wanted.discard(signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in (*wanted, signal.SIGCHLD)}
        for number in wanted:
            loop.add_signal_handler(number, self._told, number)
        loop.add_signal_handler(signal.SIGCHLD, self._wake)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def _told(self, number: signal.Signals) -> None:
        again = number is signal.SIGINT and self._stopping.is_set()
        log.info("ending everything at once" if again else "ending everything", signal=number.name)
        self.stop(hurry=again)

    def _wake(self) -> None:
        """Let all look again that wait for a child's end, or to be told."""
        happened, self._happened = self._happened, asyncio.Event()
        happened.set()


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "ended, its launcher too"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
