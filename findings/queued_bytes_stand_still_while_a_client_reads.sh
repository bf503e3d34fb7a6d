#!/bin/sh
# Linux's TCP with asyncio and uvloop 0.23.0: what waits for a client seems to stand still although the client reads.
#
# A guess: of a client that reads a little at a time, the bytes that the system still holds (TIOCOUTQ) and those that
# the transport holds (`get_write_buffer_size`) become fewer with each read, so a look now and then tells slow from
# gone.
# Seen: neither changes for dozens of reads of 1 KiB: the client's system tells the server of room only in large
# steps, and the server's makes room for more only once a good part of what it holds has gone. At 1 KB/s that is a
# minute without any change. Whoever cuts silent clients by these figures has to wait for longer than one step takes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "uvloop==0.23.0" 2>/dev/null
v/bin/python - <<'PY'
import asyncio
import fcntl
import socket
import struct
import termios
from itertools import groupby

import uvloop

READS = 200


class Sending(asyncio.Protocol):
    def connection_made(self, transport):
        self.socket = transport.get_extra_info("socket")
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        self.transport = transport
        transport.write(bytes(8_000_000))

    def waiting(self):
        (in_the_system,) = struct.unpack("i", fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, bytes(4)))
        return in_the_system, self.transport.get_write_buffer_size()


async def longest_pause():
    """Read 1 KiB at a time; tell after how many reads at the most something of what waits had changed."""
    sending = Sending()
    server = await asyncio.get_running_loop().create_server(lambda: sending, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        await asyncio.sleep(0.5)
        looks = []
        for _ in range(READS):
            assert client.recv(1024)
            await asyncio.sleep(0.005)
            looks.append(sending.waiting())
        sending.transport.abort()
    server.close()
    return max(len(list(same)) for _, same in groupby(looks))


for run in (asyncio.run, uvloop.run):
    reads = run(longest_pause())
    print(f"{run.__module__}: {reads} reads of 1 KiB in a row changed nothing of what the server saw")
    assert reads >= 20
PY
