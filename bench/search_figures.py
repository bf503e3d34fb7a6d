"""The figures of `make bench-search`, as they are printed and compared with what is to be reached."""

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from statistics import mean, median
from typing import NamedTuple

from bench.load import Measurement

TARGET_OF_BARE = 1.5
TARGET_OF_SMALLEST = 0.95
TARGET_OF_UNPACKED = 0.6
"""Of searches whose answers are compressed, beside the same uncompressed."""
AIM_OF_FLOOR = 0.6
UNDISTURBED = 0.85
"""The share of a core that a server or the load generator gets when nothing but the two runs on two cores."""
PROXIED = ("browser", "browser-ids", "browsers-mixed")
"""As request_heads.py names them: one browser on each connection, with a fresh X-Request-ID from the proxy each time,
and another browser each time besides."""
Rounds = Sequence[Measurement]


class Compared(NamedTuple):
    """The names of what is compared."""

    bare: str
    lean: str
    floor: str
    smallest: str
    middle: str
    largest: str


def tell_figures(figures: Mapping[str, Rounds]) -> None:
    print(f"\n{'median of the rounds':<38} {'req/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'body B':>7}", end=" ")
    print(f"{'CPU us':>7} {'server':>7} {'load':>6} {'its us':>7}")
    for name, rounds in figures.items():
        print(
            f"{name:<38} {median(one.rate for one in rounds):>8,.0f}"
            f" {median(one.p50 for one in rounds) * 1000:>7.2f} {p99(rounds) * 1000:>7.2f}"
            f" {mean(one.body_bytes for one in rounds):>7,.0f}"
            f" {known_median(one.server_seconds for one in rounds) * 1e6:>7.1f}"
            f" {known_median(one.server_share for one in rounds):>7.0%}"
            f" {median(one.generator_share for one in rounds):>6.0%}"
            f" {median(one.generator_share / one.rate for one in rounds) * 1e6:>7.1f}"
        )
    print("(CPU us: what the server computes for a request; server, load: share of a core that each of the two took;")
    print(" its us: what the load generator computes for a request)")
    if any(is_disturbed(rounds) for rounds in figures.values()):
        print("WARNING: neither got its core, because something else runs here: measure again in silence")


def is_disturbed(rounds: Rounds) -> bool:
    """Tell whether neither side had a core to itself."""
    shares = (max(one.generator_share, one.server_share or 1.0) for one in rounds)
    return median(shares) < UNDISTURBED


def known_median(figures: Iterable[float | None]) -> float:
    """Take the median of the figures that the system told; NaN when it told none."""
    return median([figure for figure in figures if figure is not None] or [nan])


def p99(rounds: Rounds) -> float:
    """Take the median of the rounds, in seconds."""
    return median(one.p99 for one in rounds)


def tell_ratios(figures: Mapping[str, Rounds], names: Compared) -> None:
    """Print what is compared with what, and what was to be reached."""
    ours, bare = names.middle, names.bare
    heads = ("", *(f", {head}" for head in PROXIED))
    print("\nratios of requests per second (rounds from-to), and of the CPU time for one, upside down:")
    for head in heads:
        tell_ratio(figures, ours + head, bare + head, TARGET_OF_BARE)
    for head in heads[:2]:
        tell_ratio(figures, ours + head, names.lean + head, None)
    for head in heads:
        tell_p99(figures, ours + head, bare + head)
    tell_ratio(figures, names.largest, names.smallest, TARGET_OF_SMALLEST)
    tell_ratio(figures, ours, names.floor, AIM_OF_FLOOR, "aim")
    if figures[f"{ours}, zstd"][0].body_bytes < figures[ours][0].body_bytes * 0.9:
        tell_ratio(figures, f"{ours}, zstd", ours, TARGET_OF_UNPACKED)
        tell_ratio(figures, f"{ours}, browser-zstd", f"{ours}, browser", None)
    else:
        print("  with zstd asked for: answers are not compressed")


def tell_ratio(
    figures: Mapping[str, Rounds], ours: str, other: str, target: float | None, word: str = "target"
) -> None:
    """Compare by the rate; where the load generator did not keep the server busy, by what the server computed."""
    mine, theirs = figures[ours], figures[other]
    ratio = median(one.rate for one in mine) / median(one.rate for one in theirs)
    between = [one.rate / beside.rate for one, beside in zip(mine, theirs, strict=True)]
    by_cpu = known_median(one.server_seconds for one in theirs) / known_median(one.server_seconds for one in mine)
    judged, note = ratio, ""
    if is_limited_by_load(mine) or is_limited_by_load(theirs):
        judged, note = by_cpu, " by CPU time, because the load generator is the limit"
    verdict = "" if target is None else f"; {word} {target:g}: {'reached' if judged >= target else 'missed'}{note}"
    print(f"  {ours} / {other}: {ratio:.2f} ({min(between):.2f}-{max(between):.2f}), CPU {by_cpu:.2f}{verdict}")


def is_limited_by_load(rounds: Rounds) -> bool:
    """Tell whether the load generator had more to do than the server."""
    return median(one.generator_share for one in rounds) > known_median(one.server_share for one in rounds)


def tell_p99(figures: Mapping[str, Rounds], ours: str, other: str) -> None:
    mine, theirs = p99(figures[ours]), p99(figures[other])
    verdict = "reached" if mine <= theirs else "missed"
    print(f"  p99 of {ours}: {mine * 1000:.2f} ms, of {other}: {theirs * 1000:.2f} ms; target at most that: {verdict}")
