"""The picture of the structure is that of the code, and its rules hold for any imports."""

from itertools import pairwise

from bench.structure import PICTURE, Imports, arrows, circles, floors, page

STACK: Imports = {
    "top": frozenset({"middle", "ground"}),
    "middle": frozenset({"ground"}),
    "ground": frozenset(),
    "cellar": frozenset(),
}
RING: Imports = {"one": frozenset({"two"}), "two": frozenset({"one", "ground"}), "ground": frozenset()}


def test_the_picture_is_up_to_date() -> None:
    assert PICTURE.read_text(encoding="utf-8") == page(), "run `make structure`"


def test_every_part_stands_above_what_it_imports() -> None:
    assert floors(STACK) == [["cellar", "ground"], ["middle"], ["top"]]
    assert circles(STACK) == []


def test_an_arrow_that_follows_from_others_is_not_drawn() -> None:
    assert list(arrows(STACK)) == list(pairwise(("top", "middle", "ground")))


def test_a_circle_is_named_and_stands_on_one_floor() -> None:
    assert circles(RING) == [("one", "two")]
    assert floors(RING) == [["ground"], ["one", "two"]]
    assert ("one", "two") in arrows(RING)
    assert ("two", "one") in arrows(RING)
