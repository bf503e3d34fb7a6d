"""What of XPath 1.0 a path may be: what can be answered when a record ends, in a time that follows from its size.

A path is read as tokens, not as a tree: the rules are about which of them it has, so that they are easily seen to hold.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from app.adapters.outbound.providers.mapped.paths import PathError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<literal>"[^"]*"|'[^']*')
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<axis>[a-z-]+)\s*::
    | (?P<function>[A-Za-z_][\w.-]*)\s*\(
    | (?P<name>[^\W\d][\w.-]*(?::(?:[^\W\d][\w.-]*|\*))?)
    | (?P<sign>//|\.\.|::|!=|<=|>=|[/.@\[\](),|+\-*=<>$])
    )""",
    re.VERBOSE,
)
_FUNCTIONS = frozenset(
    {
        *("string", "concat", "starts-with", "contains", "substring-before", "substring-after", "substring"),
        *("string-length", "normalize-space", "translate", "boolean", "not", "true", "false", "number", "floor"),
        *("ceiling", "round", "position", "last", "count", "name", "local-name", "text", "node"),
    }
)
_INSIDE = frozenset({"child", "attribute", "self", "descendant", "descendant-or-self", "following-sibling"})
_OUTSIDE = frozenset({"parent", "ancestor", "ancestor-or-self", "preceding-sibling"})
_LATER = ("last", "count", "following-sibling", "descendant", "descendant-or-self", "//")
_DEEP = frozenset({"//", "descendant", "descendant-or-self", "following-sibling", "preceding-sibling"})
_MAX_PREDICATES = 5


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What is known of a path."""

    leaves: bool
    """Whether it looks at what stands around its record."""
    names: frozenset[str]
    """The names that it has, `*` among them, without their prefixes."""


def judge(text: str) -> PathFacts:
    """Judge a path.

    Raises:
        PathError: it is none that may be; the message says what was expected.
    """
    tokens = _tokens(text)
    kinds = [kind for kind, _ in tokens]
    words = [word for _, word in tokens]
    for kind, word in tokens:
        if kind == "axis" and word not in _INSIDE | _OUTSIDE:
            raise PathError(f"expected what is known when the record ends, found the axis {word}")
        if kind == "function" and word not in _FUNCTIONS:
            raise PathError(f"expected a function of XPath 1.0 that paths may use, found {word}()")
        if word == "$":
            raise PathError("expected no variable, found one")
    absolute = words[:1] == ["/"] or ("|", "/") in pairwise(words)
    leaves = absolute or ".." in words or any(k == "axis" and w in _OUTSIDE for k, w in tokens)
    _check_time(kinds, words)
    if words[:1] == ["//"] or (leaves and any(word in _LATER for word in words)):
        raise PathError(
            "expected a path that the record and what stood before it can answer: outside of the record "
            "no //, last(), count() or following-sibling"
        )
    if words[:1] == ["following-sibling"]:
        raise PathError("expected a path that the record can answer: what follows it is not known yet")
    names = {word.rpartition(":")[2] for kind, word in tokens if kind == "name"}
    return PathFacts(leaves, frozenset(names | {"*"} if "*" in words or "node" in words else names))


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise PathError(f"expected an XPath 1.0 path, found {text[at : at + 20]!r} in it")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


def _check_time(kinds: list[str], words: list[str]) -> None:
    """Keep the time that a path takes in proportion to the size of a record."""
    depth = 0
    for kind, word in zip(kinds, words, strict=True):
        depth += (word == "[") - (word == "]") if kind == "sign" else 0
        if depth > 1:
            raise PathError("expected no predicate within a predicate")
        if depth and (word in _DEEP or (kind == "axis" and word in _OUTSIDE) or word == ".."):
            raise PathError(f"expected predicates over children and attributes, found {word} in one")
    if sum(word in _DEEP for word in words) > 1:
        raise PathError("expected at most one of //, descendant, following-sibling and preceding-sibling")
    if words.count("[") > _MAX_PREDICATES:
        raise PathError(f"expected at most {_MAX_PREDICATES} predicates")
