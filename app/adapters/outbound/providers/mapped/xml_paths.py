"""Paths of XML: XPath 1.0 by libxml2; those that are only names are look-ups, which take a fraction of the time."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from operator import methodcaller
from typing import Any

from lxml import etree
from lxml.etree import _Element

from app.adapters.outbound.providers.mapped.paths import Path, PathError, Paths, Value
from app.adapters.outbound.providers.mapped.xpath_rules import judge

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"

_NAME = r"(?:[^\W\d][\w.-]*:)?[^\W\d][\w.-]*"
_SIMPLE = re.compile(
    rf"(?P<up>(?:\.\./)*)(?P<names>{_NAME}(?:/{_NAME})*)?(?:(?:(?<=\w)/)?@(?P<attribute>{_NAME})|(?P<text>/?text\(\)))?"
)
_keys = methodcaller("keys")
_values = methodcaller("values")
_ANCESTOR = re.compile(rf"ancestor::(?P<name>{_NAME})/@(?P<attribute>{_NAME})")


class XmlPaths(Paths):
    """Compiles paths with the prefixes of a mapping, and knows afterwards what they need of what stood before."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._namespaces = dict(namespaces)
        self.outside: set[str] = set()
        """Names of elements beside a record that paths look at, `*` for any; empty when none does."""
        self.of_end: set[str] = set()
        """The same of paths that are asked of the whole document."""
        self.asked: set[str] = set()
        """Attributes of a record's ancestors that paths ask for by name, as lxml has them."""
        self.leaves = False
        """Whether a path looks out of its record in another way."""

    def compile(self, text: str, *, inside: bool = False) -> Path:
        """As the Protocol says."""
        text = text.strip()
        facts = judge(text)
        self._check(text)
        if text == ".":
            return Itself(text)
        if path := self._by_names(text):
            return path
        if facts.leaves:
            if inside:
                raise PathError("expected a path inside of the record, found one that leads out of it")
            self.outside |= facts.names
            self.leaves = True
        return XPathQuery(text, self._namespaces)

    def columns(self, paths: Sequence[Path], nodes: Sequence[Any]) -> list[Sequence[Value]]:
        """As the Protocol says. Elements that all say the same attributes are asked for them once, not one by one."""
        names = [path.name for path in paths if isinstance(path, Attribute)]
        if len(names) == len(paths) > 1:
            said = list(map(_keys, nodes))
            if said.count(said[0]) == len(said) and set(names) <= set(said[0]):
                columns = dict(zip(said[0], zip(*map(_values, nodes), strict=True), strict=True))
                return [columns[name] for name in names]
        return [path.column(nodes) for path in paths]

    def of_document(self, text: str) -> Path:
        """As the Protocol says: an absolute path of what stood around the records."""
        facts = judge(text)
        self._check(text)
        if not text.strip().startswith("/"):
            raise PathError("expected a path from the root, such as /feed/link/@href")
        self.of_end |= facts.names
        return XPathQuery(text.strip(), self._namespaces)

    def clark(self, name: str) -> str:
        """Give a name as lxml has it: `{uri}local`.

        Raises:
            PathError: its prefix is not in `namespaces`.
        """
        prefix, colon, local = name.rpartition(":")
        if not colon:
            return name
        uri = XML_NAMESPACE if prefix == "xml" else self._namespaces.get(prefix)
        if uri is None:
            raise PathError(f"expected a prefix of `namespaces`, found {prefix}:")
        return f"{{{uri}}}{local}"

    def _check(self, text: str) -> None:
        try:
            etree.XPath(text, namespaces=self._namespaces or None)(etree.Element("_"))
        except etree.XPathError as error:
            raise PathError(f"expected an XPath 1.0 path: {error}") from None

    def _asked(self, attribute: str) -> str:
        name = self.clark(attribute)
        self.asked.add(name)
        return name

    def _by_names(self, text: str) -> Path | None:  # noqa: PLR0911 - a form of paths each
        if found := _ANCESTOR.fullmatch(text):
            return AncestorAttribute(text, self.clark(found["name"]), self._asked(found["attribute"]))
        found = _SIMPLE.fullmatch(text)
        if found is None or (found["text"] and found["text"].startswith("/") and not found["names"]):
            return None
        names = [self.clark(name) for name in found["names"].split("/")] if found["names"] else []
        attribute = self.clark(found["attribute"]) if found["attribute"] else None
        levels = found["up"].count("..")
        if levels:
            return UpperAttribute(text, levels, self._asked(found["attribute"])) if attribute and not names else None
        if not names:
            return Attribute(text, attribute) if attribute else None
        if found["text"]:
            return None
        if attribute is None and len(names) == 1:
            return Child(text, names[0])
        return Names(text, names, attribute)


def text_of(element: _Element) -> str | None:
    """Give the text of an element with all that stands in it, as XPath's string() does; None when there is none."""
    if len(element):
        return "".join(element.itertext())  # type: ignore[arg-type] # texts, not bytes
    return element.text


class Itself(Path):
    """`.`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        return text_of(node)

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        return [node]


class Attribute(Path):
    """`@id`."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self._get = methodcaller("get", name)

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        return node.get(self.name)

    def column(self, nodes: Sequence[Any]) -> list[Value]:
        """As the Protocol says, without a call of a Python function for each."""
        return list(map(self._get, nodes))

    def nodes(self, node: Any) -> list[Any]:  # noqa: ARG002
        """As the Protocol says: an attribute is none."""
        return []


class UpperAttribute(Path):
    """`../@id`, `../../@id`."""

    def __init__(self, text: str, levels: int, name: str) -> None:
        self.text = text
        self._levels = levels
        self._name = name

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        for _ in range(self._levels):
            node = node.getparent()
            if node is None:
                return None
        return node.get(self._name)


class AncestorAttribute(Path):
    """`ancestor::venue/@id`: of the outermost of several, as XPath has it."""

    def __init__(self, text: str, ancestor: str, name: str) -> None:
        self.text = text
        self._ancestor = ancestor
        self._name = name

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        found = [ancestor.get(self._name) for ancestor in node.iterancestors(self._ancestor)]
        return next((value for value in reversed(found) if value is not None), None)


class Child(Path):
    """`title`."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self._name = name

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        for child in node.iterchildren(self._name):
            return text_of(child)
        return None

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        return list(node.iterchildren(self._name))


class Names(Path):
    """`venue/name`, `venue/@id`, `a/b/@c`."""

    def __init__(self, text: str, names: Sequence[str], attribute: str | None) -> None:
        self.text = text
        self._names = names
        self._attribute = attribute

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        for found in self._found(node, 0):
            if self._attribute is None:
                return text_of(found)
            if (value := found.get(self._attribute)) is not None:
                return value
        return None

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        return [] if self._attribute else list(self._found(node, 0))

    def _found(self, node: Any, depth: int) -> Iterator[Any]:
        if depth == len(self._names):
            yield node
            return
        for child in node.iterchildren(self._names[depth]):
            yield from self._found(child, depth + 1)


class XPathQuery(Path):
    """Whatever else XPath can say."""

    def __init__(self, text: str, namespaces: Mapping[str, str]) -> None:
        self.text = text
        self._query = etree.XPath(text, namespaces=dict(namespaces) or None, smart_strings=False)

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        found: Any = self._query(node)
        if isinstance(found, list):
            found = found[0] if found else None
        if isinstance(found, _Element):
            return text_of(found)
        return None if isinstance(found, float) and not math.isfinite(found) else found

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        found: Any = self._query(node)
        return [one for one in found if isinstance(one, _Element)] if isinstance(found, list) else []
