"""`make bench-mapped`: 89 MB through a mapping, read and mapped without the commit, as CPU time and in turns.

Targets: XML at most 4 times a bare iterparse; the same content as JSON no slower in seconds than that XML; a feed with
one changed record less than half of a first reading. First readings write down what they read, as syncs do.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.feeds import write_feed
from bench.mapped_feeds import write_json_feed

ITEMS, ZONES = 5_000, 200
MB = 1_000_000
HALF = 0.5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=ITEMS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        measure(Path(folder), given.items, given.rounds)


def measure(folder: Path, items: int, rounds: int) -> None:
    """Run the rounds in turns."""
    feeds = {"xml": folder / "feed.xml", "json": folder / "feed.json"}
    sizes = [
        write_feed(feeds["xml"], items=items, zones=ZONES),
        write_json_feed(feeds["json"], items=items, zones=ZONES),
    ]
    told = " and ".join(f"{size / MB:.1f} MB" for size in sizes)
    print(f"feeds: {told}, {items:,} items, {items * ZONES:,} zones; CPU seconds, {rounds} rounds in turns\n")
    feeds["xml-changed"] = folder / "changed.xml"
    write_feed(feeds["xml-changed"], items=items, zones=ZONES, changed=frozenset({items // 2}))
    ways = ("iterparse", "xml", "msgspec", "json", "xml-changed")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    peaks: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            run = measured(way, feeds, folder)
            seconds[way].append(run["seconds"])
            peaks[way].append(run["grown"] / MB)
        print("  " + ", ".join(f"{way} {seconds[way][-1]:.2f} s" for way in ways))
    xml = ratio(seconds, "xml", "iterparse")
    print(f"\nXML through a mapping / bare iterparse, median {xml:.2f} (target: at most 4) {verdict(xml <= 4)}")
    same = ratio(seconds, "json", "xml")
    print(f"JSON / the same content as XML, median {same:.2f} (target: at most 1) {verdict(same <= 1)}")
    bare = ratio(seconds, "json", "msgspec")
    print(f"JSON / bare msgspec decode, median {bare:.2f} (for information; 4 was asked for)")
    again, bare = ratio(seconds, "xml-changed", "xml"), ratio(seconds, "xml-changed", "iterparse")
    print(
        f"one changed record of XML / a first reading, median {again:.2f} (target: below 0.5) {verdict(again < HALF)},"
        f" / bare iterparse, median {bare:.2f}"
    )
    for way in ("xml", "json"):
        print(f"memory above idle, {way}, median {statistics.median(peaks[way]):.1f} MB")


def measured(way: str, feeds: dict[str, Path], folder: Path) -> dict[str, float]:
    """Run a way; a first reading leaves behind what the reading of a changed feed begins with."""
    kind, _, changed = way.partition("-")
    if way in {"iterparse", "msgspec"}:
        return child(way, feeds["xml" if way == "iterparse" else "json"])
    readings, now = folder / f"readings-{kind}", folder / f"now.{kind}"
    shutil.copyfile(feeds[way], now)  # one URL: what is remembered is that of one
    if not changed:
        readings.unlink(missing_ok=True)
    return child(kind, now, readings)


def ratio(seconds: dict[str, list[float]], ours: str, theirs: str) -> float:
    """Give the median of the ratios of the rounds."""
    return statistics.median(one / other for one, other in zip(seconds[ours], seconds[theirs], strict=True))


def verdict(reached: bool) -> str:
    """Say it in a word."""
    return "reached" if reached else "MISSED"


def child(way: str, feed: Path, *more: Path) -> dict[str, float]:
    """Measure in a process of its own, so that memory and caches of one do not help or hurt the other."""
    command = [sys.executable, "-m", "bench.mapped_once", way, str(feed), *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        sys.exit(f"{way} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
