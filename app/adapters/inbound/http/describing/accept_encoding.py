"""Which codings of an answer a request takes (RFC 9110, 12.5.3), and which it has already (13.1.2)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from app.adapters.inbound.http.describing.accept_header import is_quality
from app.adapters.inbound.http.describing.content_codings import CODINGS, Coding

LEAST = 1024
"""Bytes from which on an answer is compressed."""
VARY = (b"vary", b"accept-encoding")
"""On every answer that is compressed for some, and on those that were not."""
ALIASES = {"x-gzip": "gzip"}
_MOST_CODINGS = 50
_MOST_REMEMBERED = 128
"""Fields; browsers and libraries send a dozen."""


class Accepted(NamedTuple):
    """What a request takes."""

    best: Coding | None
    """None: an answer as it is."""
    taken: tuple[Coding, ...]
    """All that it could read."""
    least: int = LEAST
    """Bytes from which on the best one is used."""

    def coding_of(self, length: int) -> Coding | None:
        """Choose for an answer of so many bytes; None: as it is."""
        return self.best if length >= self.least else None

    def held(self, if_none_match: bytes, tag: bytes) -> bytes | None:
        """Find the tag by which the request has the answer already, in a coding that it takes; `tag` is the plain one.

        They are compared weakly. A tag in another coding does not count: it is a cache's, which has the answer for
        somebody else.
        """
        if if_none_match.strip() == b"*":
            return tag
        if tag[:-1] not in if_none_match:
            return None
        forms = (tag, *(coding.tag(tag) for coding in self.taken))
        named = (one.strip().removeprefix(b"W/") for one in if_none_match.split(b","))
        return next((one for one in named if one in forms), None)


ANY = Accepted(None, CODINGS)
"""Of a request that says nothing: it takes all, but gets the answer as it is."""


@lru_cache(maxsize=_MOST_REMEMBERED)
def accepted_codings(field: bytes | None) -> Accepted:
    """Read a field; None: the request has none. What is no coding with its quality is left out."""
    if field is None:
        return ANY
    liked = _qualities(field.decode("latin-1"))
    others = liked.get("*")
    named = [(liked.get(coding.name.decode(), others or 0.0), coding) for coding in CODINGS]
    taken = sorted(((quality, coding) for quality, coding in named if quality), key=lambda one: -one[0])
    codings = tuple(coding for _, coding in taken)
    plain = liked.get("identity", 0.0 if others == 0 else None)
    if not codings or (plain or 0.0) > taken[0][0]:
        return Accepted(None, codings)
    return Accepted(codings[0], codings, 0 if plain == 0 else LEAST)


def joined(values: Iterable[bytes]) -> bytes | None:
    """Join the lines of a field as RFC 9110, 5.3 has it; None of none."""
    lines = list(values)
    return b", ".join(lines) if lines else None


def _qualities(text: str) -> dict[str, float]:
    """Read the quality of each coding; of one that is named twice the first counts."""
    found: dict[str, float] = {}
    for part in text.split(",")[:_MOST_CODINGS]:
        name, mark, parameter = (word.strip().lower() for word in part.partition(";"))
        key, _, quality = parameter.partition("=") if mark else ("q", "=", "1")
        if name and key.strip() == "q" and is_quality(quality.strip()):
            found.setdefault(ALIASES.get(name, name), float(quality))
    return found
