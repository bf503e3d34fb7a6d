"""What the code weighs and how its rooms lean on each other, now and at an older commit.

    python -m bench.house --before COMMIT

Lines are those that hold code: no blank ones, no comments, no docstrings. An arrow is a module of one room that imports
one of another; a room is a folder of `app/adapters/inbound/http`.
"""

import argparse
import ast
import io
import subprocess
import tarfile
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
HTTP = "app.adapters.inbound.http"
FLOORS = (
    "describing",
    "connection",
    "access",
    "search ingest",
    "catalog users stats changes dashboard operations",
    "",
)
"""Rooms of http from the ground up; who stands on one floor with others knows none of them. The last is api.py's."""
RENAMED = {
    "accept": "describing",
    "activity_bodies": "ingest",
    "bodies_in_hand": "connection",
    "edge_limits": "connection",
    "fair_shares": "connection",
    "local_only": "access",
    "one_write": "connection",
    "past_answers": "search",
    "record_split": "ingest",
    "rendering": "describing",
}
"""The rooms of modules of older commits that have another name now."""
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class House:
    """The modules of one tree, by their dotted names."""

    modules: Mapping[str, Path]

    @classmethod
    def under(cls, root: Path) -> "House":
        """Read the tree below `root`."""
        found = sorted((root / "app").rglob("*.py"))
        names = {
            ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in found
        }
        return cls(names)

    @property
    def lines(self) -> Counter[str]:
        """Lines of code, by layer."""
        counts: Counter[str] = Counter()
        for name, path in self.modules.items():
            parts = name.split(".")[1:]
            counts[".".join(parts[: 2 if parts[:1] == ["adapters"] else 1])] += code_lines(path)
        return counts

    def arrows(self) -> Iterator[tuple[str, str]]:
        """Yield who imports whom, each pair once."""
        for name, path in self.modules.items():
            seen = set()
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    wanted = {f"{node.module}.{one.name}" for one in node.names}
                    seen |= {one if one in self.modules else node.module for one in wanted}
                elif isinstance(node, ast.Import):
                    seen |= {one.name for one in node.names}
            yield from ((name, other) for other in sorted(seen & self.modules.keys() - {name}))


def code_lines(path: Path) -> int:
    """Count the lines of a file that hold code."""
    text = path.read_text()
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def http_rooms(house: House, names: dict[str, str]) -> dict[str, str]:
    """Say in which room each module of http stands; `names` knows it of those that had none yet."""
    rooms = {}
    for module in house.modules:
        if module.startswith(f"{HTTP}."):
            inside = module.removeprefix(f"{HTTP}.").split(".")
            rooms[module] = inside[0] if len(inside) > 1 else (names | RENAMED).get(inside[0], "")
    return rooms


def tell(title: str, house: House, names: dict[str, str]) -> dict[str, str]:
    """Print one tree's figures; return the rooms by the modules' own names."""
    lines = house.lines
    print(f"{title}: {sum(lines.values())} lines of code in {len(house.modules)} modules")
    print("  " + ", ".join(f"{layer} {count}" for layer, count in sorted(lines.items()) if count))
    rooms = http_rooms(house, names)
    pairs = [(one, other) for one, other in house.arrows() if one in rooms and other in rooms]
    between = [(rooms[one], rooms[other]) for one, other in pairs if rooms[one] != rooms[other]]
    floor = {room: height for height, together in enumerate(FLOORS) for room in (together.split() or [""])}
    up = sorted(
        {f"{one or 'api'} -> {other or 'api'}" for one, other in between if floor.get(one, 9) <= floor.get(other, 9)}
    )
    print(f"  http: {len(set(rooms.values()))} rooms, {len(between)} arrows, {len(set(between))} pairs of rooms")
    print(f"  back up or across: {', '.join(up) or 'none'}")
    print(f"  circles of modules: {circles(house) or 'none'}")
    return {module.rsplit(".", 1)[1]: room for module, room in rooms.items()}


def circles(house: House) -> list[str]:
    """Find the modules in a circle, or between two: what is left when the ends are taken off, again and again."""
    arrows = set(house.arrows())
    while True:
        inner = {one for one, _ in arrows} & {other for _, other in arrows}
        kept = {(one, other) for one, other in arrows if one in inner and other in inner}
        if kept == arrows:
            return sorted(inner)
        arrows = kept


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """Unpack a commit's `app` for the time of the block."""
    packed = subprocess.run(["git", "archive", commit, "app"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
        yield Path(folder)


def main() -> None:
    """Print both trees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="COMMIT")
    before = parser.parse_args().before
    now = House.under(REPOSITORY)
    names = tell("now", now, {})
    if before:
        with tree_of(before) as root:
            older = House.under(root)
            tell(before, older, names)
            print(f"lines: {sum(now.lines.values()) / sum(older.lines.values()):.3f} of before")


if __name__ == "__main__":
    main()
