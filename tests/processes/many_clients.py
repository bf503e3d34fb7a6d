"""Keeps many connections to a server and asks by each, twice: `many_clients PORT CONNECTIONS`; then one more asks.

Writes how many were answered each time, and how many were lost before the last one came.
"""

import asyncio
import resource
import sys
from typing import cast

AT_ONCE = 200
SEARCH = b"GET /search?starts_at=2021-06-30T00:00:00Z&ends_at=2021-07-02T00:00:00Z HTTP/1.1\r\nHost: x\r\n\r\n"
END = b'"error":null}'


class Client(asyncio.Protocol):
    """Asks, and reads an answer to its end."""

    def __init__(self) -> None:
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> asyncio.Future[bytes]:
        """Send a search."""
        self._received = b""
        self._answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.transport.write(SEARCH)
        return self._answered

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._received += data
        if self._received.endswith(END):
            self._answered.set_result(self._received)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio has it
        """Note it."""
        self.is_lost = True


async def ask_all(clients: list[Client]) -> int:
    """Count those that are answered."""
    answered = 0
    for at in range(0, len(clients), AT_ONCE):
        answers = await asyncio.gather(*(client.ask() for client in clients[at : at + AT_ONCE]))
        answered += sum(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answers)
    return answered


async def main(port: int, connections: int) -> None:
    """Connect, ask, print."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    first = 0
    while len(clients) < connections:
        made = [loop.create_connection(Client, "127.0.0.1", port) for _ in range(AT_ONCE)]
        clients += [client for _, client in await asyncio.gather(*made)]
        first += await ask_all(clients[-AT_ONCE:])
    again = await ask_all(clients)
    lost = sum(client.is_lost for client in clients)
    _, newest = await loop.create_connection(Client, "127.0.0.1", port)
    sys.stdout.write(f"{first} {again} {lost} {await ask_all([newest])}\n")


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(asyncio.wait_for(main(int(sys.argv[1]), int(sys.argv[2])), 100))
