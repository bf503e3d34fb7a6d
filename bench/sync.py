"""`make bench-sync`: a whole sync of 89 MB, Redis included, beside a bare iterparse of the same file, in turns.

CPU seconds of the process that syncs (Redis has its own). Targets, as ratios to the bare iterparse: a first sync 2.0, a
feed with one changed item 0.6, with 1% of them changed 0.7. Memory above idle: 32 MB; of a feed of a million small
bases 150 MB. Redis: 60 MB. An unchanged feed writes nothing, and with an ETag parses nothing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.feeds import write_feed, write_small_bases

ITEMS, ZONES = 5_000, 200
SMALL = 1_000_000
MB = 1_000_000
RATIOS = {"first": 2.0, "one changed": 0.6, "1% changed": 0.7}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--small", type=int, default=SMALL, help="how many small bases; 0: leave that out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        measure(Path(folder), given.items, given.rounds)
        if given.small:
            measure_small(Path(folder), given.small)


def measure(folder: Path, items: int, rounds: int) -> None:
    """Run the rounds in turns, then the cases in which nothing changed."""
    feeds = {name: folder / f"{name}.xml" for name in RATIOS}
    size = write_feed(feeds["first"], items=items, zones=ZONES)
    write_feed(feeds["one changed"], items=items, zones=ZONES, changed=frozenset({7}))
    write_feed(feeds["1% changed"], items=items, zones=ZONES, changed=frozenset(range(0, items, 100)))
    print(
        f"feed: {size / MB:.1f} MB, {items:,} items, {items * ZONES:,} zones; CPU seconds, {rounds} rounds in turns\n"
    )

    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number in range(rounds):
        for name, feed in feeds.items():
            runs["bare"].append(child("bare", feed))
            runs[name].append(child("sync", feed, folder / f"data-{number}"))
        told_round = (f"{name} {run[-1]['seconds']:.2f}" for name, run in runs.items())
        print("  " + ", ".join(told_round))
    print()
    for at, (name, target) in enumerate(RATIOS.items()):
        bare = [run["seconds"] for run in runs["bare"][at :: len(RATIOS)]]
        ratios = [run["seconds"] / beside for run, beside in zip(runs[name], bare, strict=True)]
        say(f"{name} / bare iterparse, median of {min(ratios):.2f} to {max(ratios):.2f}", ratios, target)
        say("  its memory above idle, MB", [(run["peak"] - run["idle"]) / MB for run in runs[name]], 32)
    say("Redis memory for the first, MB", [run["redis"] / MB for run in runs["first"]], 60)
    writes = {run["writes"] for run in runs["one changed"]}
    print(f"one changed item: {writes} written {verdict(writes == {1})}")

    again = child("sync", feeds["1% changed"], folder / "data-0")
    print(f"unchanged feed: {told(again)} {verdict(again['writes'] == again['records'] == 0)}")
    measure_etag(feeds["first"], folder / "data-etag")


def measure_small(folder: Path, items: int) -> None:
    """Sync a feed of many small bases, then again with one of them changed."""
    feed, data = folder / "small.xml", folder / "data-small"
    size = write_small_bases(feed, items=items)
    bare = child("bare", feed)["seconds"]
    print(f"\nsmall bases: {size / MB:.1f} MB, {items:,} bases; bare iterparse {bare:.2f} s")
    first = child("sync", feed, data)
    write_small_bases(feed, items=items, changed=frozenset({7}))
    for name, run in (("first", first), ("one changed", child("sync", feed, data))):
        print(f"{name}: {told(run)}, {run['seconds'] / bare:.2f} of bare")
        say("  its memory above idle, MB", [(run["peak"] - run["idle"]) / MB], 150)


def say(what: str, figures: list[float], target: float) -> None:
    """Print a median beside its target."""
    figure = statistics.median(figures)
    print(f"{what}: {figure:.2f} (target: at most {target:g}) {verdict(figure <= target)}")


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
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
