"""A child of a supervisor. Writes what happens to it into the file DIARY, a line each: the pid, then the words.

KIND is `polite` (ends at SIGTERM, after its work), `stubborn` (does not), `attached` (ends with its supervisor),
`exit:N` (ends at once) or `echo` (answers connections on the listening socket LISTEN_FD).
"""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

DIARY = Path(sys.argv[1])
KIND = sys.argv[2]


def write(words: str) -> None:
    with DIARY.open("a") as diary:
        diary.write(f"{os.getpid()} {words}\n")


def drain(_number: int, _frame: FrameType | None) -> None:
    time.sleep(0.2)  # the work in hand
    write("drained")
    sys.exit(0)


def echo() -> None:
    with socket.socket(fileno=int(os.environ["LISTEN_FD"])) as listening:
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(str(os.getpid()).encode())


async def attached() -> None:
    from app.infrastructure.processes.parent_watch import (
        until_supervisor_gone,  # only here: the other kinds start quicker without
    )

    waiting = [asyncio.create_task(until_supervisor_gone()) for _ in range(2)]
    write("attached")
    await asyncio.gather(*waiting)
    write("alone")


def main() -> None:
    if KIND == "polite":
        signal.signal(signal.SIGTERM, drain)
    elif KIND == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write("started")
    if KIND.startswith("exit:"):
        sys.exit(int(KIND.removeprefix("exit:")))
    if KIND == "attached":
        asyncio.run(attached())
        return
    if KIND == "echo":
        echo()
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()
