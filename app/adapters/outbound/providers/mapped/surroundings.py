"""What stands around the records of an XML document: kept as far as paths look at it, forgotten otherwise."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from copy import deepcopy
from itertools import pairwise
from typing import Any

from lxml import etree
from lxml.etree import _Element

from app.application.ports.providers import FeedRefusedError

MAX_KEPT = 10_000
ANY = "*"


class Surroundings:
    """Prunes the tree while it grows, and keeps beside it a copy of the ancestors with what paths look at.

    A record that paths look out of is copied into that second tree, where nothing stands that comes after it. So what
    a path finds does not depend on how the document came in pieces.
    """

    def __init__(self, outside: AbstractSet[str], of_end: AbstractSet[str], source: str) -> None:
        self._outside = outside
        self._wanted = outside | of_end
        self._source = source
        self._kept = 0
        self._root: _Element | None = None
        self._ancestors: list[tuple[_Element, _Element]] = []
        """From the root on: an element of the document and its copy."""
        self._last: _Element | None = None
        self._followed: _Element | None = None

    @property
    def root(self) -> Any:
        """The copy of the root, with what was kept."""
        return self._ancestors[0][1] if self._ancestors else None

    def begin(self, root: _Element) -> None:
        """Take note of the root."""
        self._root = root
        self._ancestors = [(root, _empty(root))]

    def with_what_stood_before(self, record: _Element) -> _Element:
        """Give what paths of a record that has just ended are asked of."""
        if not self._wanted:
            return record
        self._follow(record)
        if not self._outside:
            return record
        copy = deepcopy(record)
        copy.tail = None
        self._ancestors[-1][1].append(copy)
        return copy

    def kept_before(self, record: _Element) -> list[list[_Element]]:
        """Give what was kept of what stood before a record that begins: in each of its ancestors, from the root on."""
        self._follow(record)
        copies = [copy for _, copy in self._ancestors]
        return [
            [one for one in copy if one is not inner] for copy, inner in zip(copies, [*copies[1:], None], strict=True)
        ]

    def forget(self, record: _Element) -> None:
        """Forget a record and whatever stood before it in its ancestors.

        The element itself and the text after it stay for now: the parser may be about to add to that text.
        """
        if self._outside:
            holder = self._ancestors[-1][1]
            holder.remove(holder[-1])
        self._last = record
        record.clear(keep_tail=True)  # type: ignore[call-arg] # the stubs are older than the argument
        element: _Element | None = record
        while element is not None:
            _remove_before(element)
            element = element.getparent()

    def open_elements(self, depth: int, record: _Element | None) -> list[_Element]:
        """Give the elements that are open around a record that is broken, from the root on, and keep what is in them.

        Without the record itself, whose tag is broken then, they are the last ones of each depth up to `depth`.
        """
        if record is not None:
            self._follow_if_wanted(record)
            return list(record.iterancestors())[::-1]
        found = [] if self._root is None else [self._root]
        while found and len(found) < depth and len(found[-1]):
            found.append(found[-1][-1])
        if found and len(found[-1]):
            last = found[-1][-1]
            self._follow_if_wanted(last)
            if self._wanted:
                self._keep(last, self._ancestors[-1][1])
        return found

    def _follow_if_wanted(self, element: _Element) -> None:
        if self._wanted:
            self._follow(element)

    def go_on(self, chain: Sequence[_Element]) -> None:
        """Take other elements for those that were open, in a document that a new parser goes on with."""
        self._last = self._followed = None
        self._root = chain[0]
        kept = 0
        while kept < min(len(chain), len(self._ancestors)) and _same(chain[kept], self._ancestors[kept][1]):
            self._ancestors[kept] = (chain[kept], self._ancestors[kept][1])
            kept += 1
        self._drop_from(kept)

    def look_around(self) -> bool:
        """Forget what has ended and no path looks at, while no record came; tell whether there was something."""
        forgot, parent, kept = False, self._root, 0
        while parent is not None and len(parent):
            last = parent[-1]
            for before in list(last.itersiblings(preceding=True)):
                if self._is_wanted(before):
                    kept += 1
                else:
                    parent.remove(before)
                    forgot = True
            parent = None if self._is_wanted(last) else last
        self._check(self._kept + kept)
        return forgot

    def finish(self) -> None:
        """Keep what stood behind the last record."""
        if self._wanted and self._root is not None:
            del self._ancestors[1:]
            for child in self._root:
                self._keep(child, self._ancestors[0][1])

    def unknown(self) -> int:
        """Count the children of the root that repeat a name, at the end of a document without records."""
        names = [] if self._root is None else [child.tag for child in self._root if isinstance(child.tag, str)]
        return sum(names.count(name) > 1 for name in names)

    def _follow(self, record: _Element) -> None:
        """Bring the copies up to where the record stands; once."""
        if self._followed is record:
            return
        self._followed = record
        chain = [record, *record.iterancestors()]
        chain.reverse()
        for depth, (element, child) in enumerate(pairwise(chain)):
            if depth >= len(self._ancestors) or self._ancestors[depth][0] is not element:
                self._drop_from(depth)
                copy = _empty(element)
                if self._ancestors:
                    self._ancestors[-1][1].append(copy)
                self._ancestors.append((element, copy))
            self._keep_before(child, self._ancestors[depth][1])
        self._drop_from(len(chain) - 1)

    def _drop_from(self, depth: int) -> None:
        for _, copy in reversed(self._ancestors[depth:]):
            if (parent := copy.getparent()) is not None:
                self._kept -= sum(1 for _ in copy.iter()) - 1
                parent.remove(copy)
        del self._ancestors[depth:]

    def _keep_before(self, child: _Element, holder: _Element) -> None:
        branch = next((copy for element, copy in self._ancestors if element is child), None)
        for before in reversed(list(child.itersiblings(preceding=True))):
            self._keep(before, holder, branch)

    def _keep(self, element: _Element, holder: _Element, branch: _Element | None = None) -> None:
        if element is self._last or any(element is one for one, _ in self._ancestors) or not self._is_wanted(element):
            return  # what is or held a record is none of what stands beside one
        self._kept += sum(1 for _ in element.iter())
        self._check(self._kept)
        copy = deepcopy(element)
        if branch is not None and branch.getparent() is holder:
            branch.addprevious(copy)
        else:
            holder.append(copy)

    def _check(self, kept: int) -> None:
        if kept > MAX_KEPT:
            raise FeedRefusedError(
                f"{self._source}: expected at most {MAX_KEPT:,} elements beside the records that paths look at"
            )

    def _is_wanted(self, element: _Element) -> bool:
        if not isinstance(element.tag, str) or not self._wanted:
            return False
        return ANY in self._wanted or element.tag.rpartition("}")[2] in self._wanted


def start_tags(chain: Sequence[_Element]) -> str:
    """Write the start tags of elements that are inside each other."""
    return "".join(f"{etree.tostring(_empty(one), encoding='unicode').removesuffix('/>')}>" for one in chain)


def _same(element: _Element, copy: _Element) -> bool:
    return element.tag == copy.tag and sorted(element.items()) == sorted(copy.items())


def _empty(element: _Element) -> _Element:
    attributes: Any = dict(element.attrib)
    prefixes: Any = element.nsmap
    try:
        return etree.Element(element.tag, attributes, nsmap=prefixes)
    except ValueError as error:
        raise FeedRefusedError(f"expected declared prefixes around the records: {error}") from None


def _remove_before(element: _Element) -> bool:
    parent, removed = element.getparent(), False
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)
        removed = True
    return removed
