#!/bin/sh
# uvicorn 0.54.0 with httptools 0.9.0, on asyncio and on uvloop 0.23.0: the smallest answer leaves as two packets
# (Linux).
#
# A guess: head and body of an answer of two bytes are sent in one go; uvloop, at least, gathers what is written in
# one turn of the loop.
# Seen: uvicorn writes the head and the body apart, each write is sent at once, and Nagle's algorithm is off: 20
# answers are 40 segments with data, on both loops. A client that reads once gets a head without a body. Joining the
# two writes before the transport saves a system call and a packet for each answer.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "uvicorn==0.54.0" "httptools==0.9.0" "uvloop==0.23.0" 2>/dev/null
v/bin/python - <<'PY'
import socket
import struct
import threading
import time

import uvicorn

ASKED = 20
SEGMENTS_WITH_DATA_IN = 152  # tcpi_data_segs_in of Linux's struct tcp_info


async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def segments(loop):
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, loop=loop, http="httptools", log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    with socket.create_connection(listening.getsockname()) as client:
        client.settimeout(10)
        for _ in range(ASKED):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\r\n\r\nok"):
                answer += client.recv(65536)
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    server.should_exit = True
    thread.join()
    return struct.unpack_from("I", info, SEGMENTS_WITH_DATA_IN)[0]


for loop in ("asyncio", "uvloop"):
    counted = segments(loop)
    print(f"{loop}: {ASKED} answers of two bytes came in {counted} segments")
    assert 2 * ASKED <= counted < 3 * ASKED  # a few are sent once more when the machine is busy
PY
