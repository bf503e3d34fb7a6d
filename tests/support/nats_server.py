"""A NATS server of a test's own, with JetStream, and what publishers of others' do to it."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import nats
import pytest
from nats.js.client import JetStreamContext

from tests.support.waiting import lives, until

STREAM = "SHOP"


def require_nats_server() -> str:
    """Give the path of the program; without it the test is skipped, in CI it fails."""
    found = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
    if found is None:
        reason = "needs a nats-server (Debian's package nats-server)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class NatsServer:
    """One that can be killed and started again with what it has stored."""

    def __init__(self, directory: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._log = directory / "nats.log"
        where = ("-js", "-sd", str(directory / "nats"), "-a", "127.0.0.1", "-p", str(self.port))
        self._command = (require_nats_server(), *where, *options)
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(self._listens)

    def kill(self) -> None:
        """As kill -9 does."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if lives(self._process.pid):
            self.kill()

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    @asynccontextmanager
    async def jetstream(self, **known: str) -> AsyncIterator[JetStreamContext]:
        """Connect as somebody else does."""
        client = await nats.connect(self.url, **known)
        try:
            yield client.jetstream()
        finally:
            await client.close()

    def publish(self, *bodies: bytes, headers: dict[str, str] | None = None, subject: str = "shop.events") -> None:
        """Publish from outside any event loop; the stream is made where there is none."""
        asyncio.run(self._publish(bodies, headers, subject))

    async def _publish(self, bodies: tuple[bytes, ...], headers: dict[str, str] | None, subject: str) -> None:
        async with self.jetstream() as stream:
            await stream.add_stream(name=STREAM, subjects=["shop.>"])
            for body in bodies:
                await stream.publish(subject, body, headers=headers)


@contextmanager
def nats_server(*options: str) -> Iterator[NatsServer]:
    """Run one in a directory that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="nats-") as directory:
        server = NatsServer(Path(directory), *options)
        try:
            yield server
        finally:
            server.close()
