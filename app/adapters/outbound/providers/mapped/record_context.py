"""What a record of XML can tell beside its own bytes, as bytes: the same of both, and its paths find the same."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import msgspec
from lxml import etree
from lxml.etree import _Element

from app.adapters.outbound.providers.mapped.surroundings import ANY, Surroundings
from app.adapters.outbound.providers.mapped.xml_parsing import XmlParser
from app.adapters.outbound.providers.mapped.xml_paths import XmlPaths

MAX_KEPT = 100
"""Elements beside records that are told of; with more of them a record is not remembered."""

_Attributes = list[tuple[str, str]]
_Ancestor = tuple[str, _Attributes, bytes]
"""Its name, the attributes that paths ask for, and what stood before the record in it, as far as paths look at it."""
_Context = tuple[dict[str, str], list[_Ancestor]]
"""The prefixes around the record, and its ancestors from the root on."""

_decoder = msgspec.msgpack.Decoder(_Context)
_encoder = msgspec.msgpack.Encoder()


class ContextTeller:
    """Tells the context of records. For one thread."""

    def __init__(self, paths: XmlPaths, around: Surroundings) -> None:
        """Take what paths ask for, and what of it is kept."""
        self._around = around
        self._asked = sorted(paths.asked)
        self._looks_beside = bool(paths.outside)
        self._names = paths.outside
        self.can_tell = self._looks_beside or not paths.leaves
        """Whether it is known what paths ask for."""
        self._attributes: Callable[[_Element], _Attributes] = self._named if self._looks_beside else self._by_name

    def context(self, record: _Element) -> bytes | None:
        """Tell the context of a record as it begins; None when it is too much, or unusual."""
        parent = record.getparent()
        prefixes: Any = {} if parent is None else parent.nsmap
        if not all(prefixes.values()):  # the default namespace is taken back inside of another one
            return None
        kept = self._kept(record) if self._looks_beside else None
        if kept is None and self._looks_beside:
            return None
        ancestors = [(_tag(one), self._attributes(one)) for one in record.iterancestors()][::-1]
        if any(_is_undeclared(tag) or any(map(_is_undeclared, dict(said))) for tag, said in ancestors):
            return None
        told = [(*one, before) for one, before in zip(ancestors, kept or repeat(b""), strict=False)]
        return _encoder.encode(({prefix or "": uri for prefix, uri in sorted(prefixes.items(), key=str)}, told))

    def _kept(self, record: _Element) -> list[bytes] | None:
        kept = self._around.kept_before(record)
        if sum(map(len, kept)) > MAX_KEPT:
            return None
        return [b"".join(map(etree.tostring, beside)) for beside in kept]

    def _by_name(self, element: _Element) -> _Attributes:
        return [(name, value) for name in self._asked if (value := element.get(name)) is not None]

    def _named(self, element: _Element) -> _Attributes:
        every = ANY in self._names
        return [
            (str(name), str(value))
            for name, value in element.items()
            if every or name in self._asked or str(name).rpartition("}")[2] in self._names
        ]


def record_in(context: bytes, raw: bytes) -> _Element:
    """Parse a record once more, in its context. It was well-formed there."""
    prefixes, ancestors = _decoder.decode(context)
    parser = XmlParser("", [ancestors[0][0]], "utf-8")
    innermost = len(ancestors) - 1
    for depth, (tag, attributes, before) in enumerate(ancestors):
        nsmap: Any = {prefix or None: uri for prefix, uri in prefixes.items()} if depth == innermost else {}
        parser.feed(etree.tostring(etree.Element(tag, dict(attributes), nsmap=nsmap)).removesuffix(b"/>") + b">")
        parser.feed(before)
    parser.feed(raw)
    [(_, node)] = parser.starts_and_ends()
    for _ in ancestors:
        node = node[-1]
    return node


def _is_undeclared(name: str) -> bool:
    """Tell whether a name has a prefix that nobody has declared."""
    return ":" in name.rpartition("}")[2]


def _tag(element: _Element) -> str:
    tag: Any = element.tag
    return str(tag)
