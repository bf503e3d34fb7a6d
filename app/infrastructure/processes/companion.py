"""A process beside one that has no supervisor: kept running as long as that runs, and ended with it."""

import asyncio
import os
import subprocess
import time
from asyncio.subprocess import Process
from contextlib import suppress

import structlog

from app.infrastructure.processes.child_processes import Child
from app.infrastructure.processes.parent_watch import PARENT_WATCH_VARIABLE, parent_watch
from app.infrastructure.processes.supervisor import RestartBackoff

log = structlog.get_logger()

BACKOFF = RestartBackoff()


class Companion:
    """Runs a child, on any event loop; a supervisor does the same for several, and owns its process's signals.

    The child is told to end by SIGTERM and has `drain` seconds from then on. When this process is killed, the child
    notices by its parent watch.
    """

    def __init__(self, child: Child, drain: float, backoff: RestartBackoff = BACKOFF) -> None:
        self._child = child
        self._drain = drain
        self._backoff = backoff
        self._process: Process | None = None
        self._told_at: float | None = None

    async def __call__(self) -> None:
        """Keep it running until cancelled; then wait for its end."""
        with parent_watch() as watch_file:
            try:
                await self._keep(watch_file)
            finally:
                self.end()
                await self._until_ended()

    def end(self) -> None:
        """Tell it to end, and start none again. Safe to call twice."""
        if self._told_at is None:
            self._told_at = time.monotonic()
            if self._process is not None:
                with suppress(ProcessLookupError):
                    self._process.terminate()

    def _is_told(self) -> bool:
        return self._told_at is not None

    async def _keep(self, watch_file: int) -> None:
        failures = 0
        while not self._is_told():
            began = time.monotonic()
            how = await self._run_once(watch_file)
            if self._is_told():
                return
            failures = 1 if time.monotonic() - began >= self._backoff.reset_after else failures + 1
            delay = self._backoff.delay(failures)
            log.warning("child ended by itself, it is started again", name=self._child.name, how=how, in_seconds=delay)
            await asyncio.sleep(delay)

    async def _run_once(self, watch_file: int) -> str:
        try:
            self._process = await self._started(watch_file)
        except OSError as error:
            return f"could not be started: {error}"
        log.info("child started", name=self._child.name, pid=self._process.pid)
        return f"exit code {await self._process.wait()}"

    async def _started(self, watch_file: int) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._child.command,
            env={**os.environ, **self._child.env, PARENT_WATCH_VARIABLE: str(watch_file)},
            stdin=subprocess.DEVNULL,
            pass_fds=(*self._child.pass_fds, watch_file),
            start_new_session=True,
        )

    async def _until_ended(self) -> None:
        """Wait for the end of one that was told; kill it when it takes too long."""
        if self._process is None or self._told_at is None:
            return
        try:
            async with asyncio.timeout(max(0.0, self._told_at + self._drain - time.monotonic())):
                await self._process.wait()
        except TimeoutError:
            log.warning("child is killed", name=self._child.name, why=f"did not end in {self._drain:g} s")
            with suppress(ProcessLookupError):
                self._process.kill()
