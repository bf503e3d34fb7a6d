"""`python -m bench.replicas`: what the door takes in while a replica has to confirm it, and while none has, in turns.

A primary and a replica, each with fsync always, on this machine: two disks of one are slower than two of two.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from app.infrastructure.embedded_redis.redis_binary import find_redis_binary
from bench.ingest import Door, at_door, single, turns
from bench.processes import free_port, python_process, wait_until_ready


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="mq-") as name, ExitStack() as stack:
        folder = Path(name)
        primary = stack.enter_context(_server(folder / "primary"))
        stack.enter_context(_server(folder / "replica", "--replicaof", "127.0.0.1", str(primary)))
        client = Redis(port=primary, socket_timeout=30)
        while not client.info("replication")["connected_slaves"]:
            time.sleep(0.1)
        doors = [_door(stack, folder / f"api-{replicas}", primary, replicas) for replicas in (1, 0)]
        for label, post in (("activities/s in batches of 100", at_door), ("single activities/s", single)):
            ours, theirs = (lambda n, d=door, p=post: p(d, client, n, given.seconds) for door in doors)
            print(f"confirmed / not, median {turns(label, given.rounds, ours, theirs):.2f}")


@contextmanager
def _server(folder: Path, *options: str) -> Iterator[int]:
    folder.mkdir()
    port = free_port()
    command = [str(find_redis_binary().path), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def _door(stack: ExitStack, folder: Path, redis: int, replicas: int) -> Door:
    folder.mkdir()
    port, config, log = free_port(), folder / "config.yaml", folder / "api.log"
    settings = {
        "service": {"port": port, "data_dir": str(folder)},
        "redis": {"url": f"redis://127.0.0.1:{redis}", "replicas": replicas},
        "activity": {"max_backlog": 10**9, "max_backlog_bytes": 10**12},
        "logging": {"level": "warning", "format": "json"},
    }
    config.write_text(json.dumps(settings))
    pid = stack.enter_context(python_process(["app.infrastructure.main", "--config", str(config), "api"], log))
    wait_until_ready(port, "/health/ready", log)
    return Door(port, pid)


if __name__ == "__main__":
    main()
