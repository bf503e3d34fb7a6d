#!/bin/sh
# redis-py 8.1.0: `Redis(...)` sends a command up to eleven times, `Redis.from_url(...)` once.
#
# A guess: the two are two ways to write the same client; what is not safe to repeat, as INCR, is not repeated
# unasked.
# Seen: `Redis(...)` repeats ten times after a lost connection, by default, whatever the command is: a server that
# counted and lost its answer counts again. `from_url` makes a pool without that default and raises at the first loss.
# A client that moves from arguments to a URL changes how often it writes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "redis==8.1.0" 2>/dev/null
v/bin/python - <<'PY'
import socket
import threading

import redis


def counted(make):
    """Count the INCRs that reach a server which agrees to every greeting and hangs up instead of answering one."""
    listening, heard = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                while said := client.recv(4096):
                    if b"INCRBY" in said:
                        heard.append(said)
                        break
                    client.sendall(b"+OK\r\n" * said.count(b"CLIENT"))

    threading.Thread(target=serve, daemon=True).start()
    try:
        make(listening.getsockname()[1]).incr("visits")
    except redis.ConnectionError as error:
        print(type(error).__name__, end=", ")
    listening.close()
    return len(heard)


by_arguments = counted(lambda port: redis.Redis(port=port, protocol=2))
print("Redis(...):", by_arguments, "INCRs")
by_url = counted(lambda port: redis.Redis.from_url(f"redis://127.0.0.1:{port}/0?protocol=2"))
print("Redis.from_url(...):", by_url, "INCR")
assert (by_arguments, by_url) == (11, 1)
PY
