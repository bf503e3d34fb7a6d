"""Why a record that somebody sent is not taken, in the words of whoever sent it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

LONGEST_QUOTE = 64


class Problem(NamedTuple):
    """One thing that is wrong with a record."""

    code: str
    """A stable snake_case word, for programs."""
    message: str
    pointer: str = ""
    """Where, inside the record as it was sent (RFC 6901); the record itself by default."""


class RefusedRecordError(ValueError):
    """A record cannot be taken; at least one problem."""

    def __init__(self, *problems: Problem) -> None:
        """Keep them; the first is the message."""
        super().__init__(problems[0].message)
        self.problems = problems


class NotJsonError(ValueError):
    """What was sent is not JSON; the message says where it stops being JSON."""


def pointer_to(path: Iterable[str | int]) -> str:
    """Write a JSON pointer. What no text can hold (a lone surrogate) becomes a question mark."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps).encode("utf-8", "replace").decode()


def shown(value: Any) -> str:
    """Quote what was found, but not all of something long: it comes from outside."""
    if isinstance(value, str):
        return repr(value) if len(value) <= LONGEST_QUOTE else f"a string of {len(value)} characters"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    number = str(value)
    return f"the number {number}" if len(number) <= LONGEST_QUOTE else f"a number of {len(number)} characters"
