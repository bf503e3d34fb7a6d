"""`records` of XML: a path of names, with predicates on attributes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml.etree import _Element

from app.adapters.outbound.providers.mapped.paths import MAX_PATH, PathError
from app.adapters.outbound.providers.mapped.xml_paths import XmlPaths

EXPECTED = "expected a path of names from the root or anywhere, such as //event or /feed/venue/event[@type='concert']"

_NAME = r"(?:[^\W\d][\w.-]*:)?[^\W\d][\w.-]*"
_STEP = re.compile(rf"(?P<name>{_NAME}|\*)(?P<predicates>(?:\[[^\[\]]*\])*)")
_PREDICATE = re.compile(rf"""\[\s*@(?P<name>{_NAME})\s*(?:(?P<sign>!?=)\s*(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)')\s*)?\]""")


@dataclass(frozen=True, slots=True)
class _Step:
    tag: str
    """`*` for any."""
    predicates: tuple[tuple[str, str | None, str | None], ...]

    def holds(self, element: _Element) -> bool:
        return self.tag in {"*", element.tag} and all(_said(element, *predicate) for predicate in self.predicates)


@dataclass(frozen=True, slots=True)
class RecordPath:
    """Tells records from other elements."""

    steps: tuple[_Step, ...]
    anywhere: bool
    """Whether the first step may stand in any depth."""

    @property
    def tag(self) -> str:
        """The name of each record."""
        return self.steps[-1].tag

    def may_stand_in(self, root: str) -> bool:
        """Tell whether a document with this root may have records; an HTML page is none unless the path names it."""
        if self.anywhere:
            return root.rpartition("}")[2].lower() != "html"
        return self.steps[0].tag in {"*", root}

    def matches(self, element: _Element) -> bool:
        """Tell whether an element, as it begins, is a record."""
        if not self.steps[-1].holds(element):
            return False
        ancestors = list(element.iterancestors())
        if len(ancestors) < len(self.steps) - 1 or (not self.anywhere and len(ancestors) != len(self.steps) - 1):
            return False
        return all(step.holds(one) for step, one in zip(reversed(self.steps[:-1]), ancestors, strict=False))


def record_path(text: str, namespaces: Mapping[str, str]) -> RecordPath:
    """Compile `records`.

    Raises:
        PathError: it is no such path.
    """
    text = text.strip()
    if len(text) > MAX_PATH:
        raise PathError(f"expected at most {MAX_PATH} characters")
    anywhere = text.startswith("//") or not text.startswith("/")
    clark = XmlPaths(namespaces).clark
    steps, at = [], len(text) - len(text.lstrip("/"))
    while at <= len(text):
        found = _STEP.match(text, at)
        if found is None or text[found.end() : found.end() + 1] not in {"", "/"}:
            raise PathError(EXPECTED)
        tag = found["name"] if found["name"] == "*" else clark(found["name"])
        steps.append(_Step(tag, _predicates(found["predicates"], clark)))
        at = found.end() + 1
    if at > len(text) + 1 or steps[-1].tag == "*" or text.startswith("///"):
        raise PathError(EXPECTED)
    return RecordPath(tuple(steps), anywhere)


def _predicates(text: str, clark: Callable[[str], str]) -> tuple[tuple[str, str | None, str | None], ...]:
    found = []
    for one in re.findall(r"\[[^\[\]]*\]", text):
        predicate = _PREDICATE.fullmatch(one)
        if predicate is None:
            raise PathError(f"{EXPECTED}; predicates are [@name], [@name='value'] and [@name!='value']")
        value = predicate["a"] if predicate["a"] is not None else predicate["b"]
        found.append((clark(predicate["name"]), predicate["sign"], value))
    return tuple(found)


def _said(element: _Element, name: str, sign: str | None, value: str | None) -> bool:
    said = element.get(name)
    if said is None or sign is None:
        return said is not None
    return (said == value) is (sign == "=")
