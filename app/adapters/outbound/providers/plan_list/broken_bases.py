"""What can still be told of a base that is not well-formed: whose it is, and where the next one begins."""

import re

from app.adapters.outbound.providers.plan_list.dialects import Dialect
from app.adapters.outbound.providers.reading.values import MAX_ID
from app.adapters.outbound.providers.reading.window import Window

_ATTRIBUTE = re.compile(rb"""\s+([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_END_OF_TAG = re.compile(rb"\s*/?>")
_OPENING = re.compile(rb"<!--|<!\[CDATA\[|<\?")
_LONGEST_TAG = 64
_LONGEST_COMMENT = 1024 * 1024


def base_id_in(markup: bytes, dialect: Dialect) -> str | None:
    """Find the id in a base's tag, in which something is wrong; None when that may be the id itself, or its quotes."""
    at = 1 + len(dialect.base)
    ids: list[bytes] = []
    while found := _ATTRIBUTE.match(markup, at):
        at = found.end()
        if found[1] == dialect.base_id.encode():
            ids.append(found[2] if found[3] is None else found[3])
    if len(ids) != 1 or not _END_OF_TAG.match(markup, at) or b"&" in ids[0]:
        return None
    try:
        base_id = ids[0].decode()
    except UnicodeDecodeError:
        return None
    return base_id if 1 <= len(base_id) <= MAX_ID and base_id.isprintable() else None


class Mending:
    """Finds where to read on behind something that is broken."""

    def __init__(self, dialect: Dialect) -> None:
        base = dialect.base.encode()
        self._marks = re.compile(
            rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(?P<base><%b(?=[\s/>]))|(?P<end></%b\s*>)" % (base, base),
            re.DOTALL,
        )

    def find(self, window: Window, at: int, *, ends: bool) -> tuple[int | None, int]:
        """Look in the window's data from `at` on for the tag of a base or, if wished, the place behind its end.

        Returns:
            That place, or None; and from where to look when there is more.
        """
        for found in self._marks.finditer(window.data, at):
            at = found.end()
            if found["base"] is not None:
                return found.start(), at
            if ends and found["end"] is not None:
                return at, at
        open_at = _OPENING.search(window.data, at)
        if open_at is None:
            return None, max(at, len(window.data) - _LONGEST_TAG)
        # What is not closed soon is what is broken.
        closes_soon = len(window.data) - open_at.start() < _LONGEST_COMMENT
        return None, open_at.start() if closes_soon else open_at.end()
