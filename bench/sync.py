"""`make bench-sync`: a whole sync of 89 MB, Redis included, beside a bare iterparse of the same file, in turns.

Targets: at most 4 times the time; at most 64 MB of memory above idle; at most 60 MB of Redis memory; an unchanged feed
writes nothing, and with an ETag parses nothing; one changed item is one write.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.feeds import write_feed

ITEMS, ZONES = 5_000, 200
MB = 1_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--items", type=int, default=ITEMS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        measure(Path(folder), given.items, given.rounds)


def measure(folder: Path, items: int, rounds: int) -> None:
    """Run the rounds in turns, then the cases in which little or nothing changed."""
    feed, moved = folder / "feed.xml", folder / "moved.xml"
    size = write_feed(feed, items=items, zones=ZONES)
    write_feed(moved, items=items, zones=ZONES, changed=frozenset({7}))
    print(f"feed: {size / MB:.1f} MB, {items:,} items, {items * ZONES:,} zones; {rounds} rounds in turns\n")

    bare, whole, memory, redis = [], [], [], []
    for number in range(rounds):
        bare.append(child("bare", feed)["seconds"])
        first = child("sync", feed, folder / f"data-{number}")
        whole.append(first["seconds"])
        memory.append(first["peak"] - first["idle"])
        redis.append(first["redis"])
        print(f"  bare iterparse {bare[-1]:.2f} s, whole sync {whole[-1]:.2f} s, ratio {whole[-1] / bare[-1]:.2f}")
    ratio = statistics.median(ours / theirs for ours, theirs in zip(whole, bare, strict=True))
    print(f"\nwhole sync / bare iterparse, median {ratio:.2f} (target: at most 4) {verdict(ratio <= 4)}")
    peak = statistics.median(memory) / MB
    print(f"peak memory above idle, median {peak:.1f} MB (target: at most 64) {verdict(peak <= 64)}")
    used = statistics.median(redis) / MB
    print(f"Redis memory for it, median {used:.1f} MB (target: at most 60) {verdict(used <= 60)}")

    data = folder / "data-0"
    again = child("sync", feed, data)
    good = again["writes"] == again["records"] == 0
    print(f"\nunchanged feed: {told(again)} {verdict(good)}")
    touched = child("sync", moved, data)
    print(f"one changed item: {told(touched)} {verdict(touched['writes'] == 1)}")
    measure_etag(feed, folder / "data-etag")


def measure_etag(feed: Path, data: Path) -> None:
    """Sync from a server that knows ETags, twice."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(feed.read_bytes()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/feed"
    first = child("sync", url, data)
    second = child("sync", url, data)
    server.shutdown()
    good = second["bytes"] == 0 and second["records"] == 0 and second["writes"] == 0
    print(f"over HTTP: {told(first)}")
    print(f"again, with its ETag: {told(second)} {verdict(good)}")


def told(run: dict[str, Any]) -> str:
    """Say what one run did."""
    done = f"{run['bytes'] / MB:.1f} MB fetched, {run['records']:,} records parsed, {run['writes']:,} written"
    return f"{done}, {run['seconds']:.3f} s"


def handler(body: bytes) -> type[BaseHTTPRequestHandler]:
    """Serve one document with an ETag."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            unchanged = self.headers.get("If-None-Match") == '"v1"'
            self.send_response(304 if unchanged else 200)
            self.send_header("ETag", '"v1"')
            self.send_header("Content-Length", "0" if unchanged else str(len(body)))
            self.end_headers()
            if not unchanged:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    return Handler


def verdict(reached: bool) -> str:
    """Say it in a word."""
    return "reached" if reached else "MISSED"


def child(what: str, source: Path | str, data: Path | None = None) -> dict[str, Any]:
    """Measure in a process of its own, so that memory and caches of one do not help or hurt the other."""
    command = [sys.executable, "-m", "bench.sync_once", what, str(source), str(data or "")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
