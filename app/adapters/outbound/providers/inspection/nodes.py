"""What the beginning of a document holds, in one form for all formats."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

ITEM = "[]"
"""The name of what stands in a list that has no name itself."""


class Kind(StrEnum):
    """What a value is by its format, which only JSON says."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"


@dataclass(slots=True)
class Node:
    """An element, an attribute, an object or a value, with what stands in it, in the order of the document.

    An attribute's name begins with `@`; a name of a namespace is `{namespace}name`, as lxml has it.
    """

    name: str
    text: str = ""
    """Of its own, without white space around it."""
    kind: Kind = Kind.TEXT
    listed: bool = False
    """Whether it is an element of a list (of JSON)."""
    padded: bool = False
    """Whether there was white space around its text."""
    children: list["Node"] = field(default_factory=list)

    @property
    def is_leaf(self) -> bool:
        """Whether it is a value and nothing else."""
        return not self.children

    def descend(self) -> Iterator["Node"]:
        """Yield itself and all that stands in it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))
