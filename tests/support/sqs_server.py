"""An SQS server of a test's own (moto, in a process of its own), and what senders of others' do to it."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from aiobotocore.session import AioSession

from tests.support.waiting import lives, until

REGION = "eu-west-1"
KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret-of-a-test"}


class SqsServer:
    """It keeps everything in memory: killed, it has lost all."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        self.session = AioSession()
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers)

    def close(self) -> None:
        if lives(self._process.pid):
            self._process.kill()
            self._process.wait()

    def ask(self, action: str, **said: Any) -> Any:
        """Ask as a client of somebody else's does, from outside any event loop."""
        return asyncio.run(self.asked(action, **said))

    async def asked(self, action: str, **said: Any) -> Any:
        async with self.client() as client:
            return await getattr(client, action)(**said)

    def client(self) -> Any:
        """A client of SQS, for a block."""
        return self.session.create_client(
            "sqs",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=KEYS["access_key_id"],
            aws_secret_access_key=KEYS["secret_access_key"],
        )

    async def made(self, name: str, **attributes: str) -> str:
        """Make a queue; give its URL."""
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        answer = await self.asked("create_queue", QueueName=name, Attributes={**fifo, **attributes})
        return str(answer["QueueUrl"])

    async def made_with_dead_letters(self, name: str, receives: int, **attributes: str) -> tuple[str, str]:
        """Make a queue and the one for its dead letters; give their URLs."""
        dead = await self.made(f"dead-{name}")
        found = await self.asked("get_queue_attributes", QueueUrl=dead, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": found["Attributes"]["QueueArn"], "maxReceiveCount": str(receives)}
        return await self.made(name, RedrivePolicy=json.dumps(policy), **attributes), dead

    async def send(
        self, queue_url: str, bodies: Sequence[bytes], headers: Mapping[bytes, bytes] | None = None, **said: str
    ) -> None:
        """Send messages; to a FIFO queue in groups and with ids of their own, unless something else is said."""
        attributes = {
            name.decode(): {"DataType": "String", "StringValue": value.decode()}
            for name, value in (headers or {}).items()
        }
        async with self.client() as client:
            for body in bodies:
                own = {"MessageGroupId": str(uuid4()), "MessageDeduplicationId": str(uuid4())}
                more = {**own, **said} if queue_url.endswith(".fifo") else said
                await client.send_message(
                    QueueUrl=queue_url, MessageBody=body.decode(), MessageAttributes=attributes, **more
                )

    def _answers(self) -> bool:
        assert self._process.poll() is None
        try:
            with urlopen(f"{self.url}/moto-api/data.json", timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def sqs_server() -> Iterator[SqsServer]:
    """Run one."""
    server = SqsServer()
    try:
        yield server
    finally:
        server.close()
