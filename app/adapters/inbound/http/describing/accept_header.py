"""Which kind of answer a request prefers (RFC 9110, 12.5.1)."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

is_quality = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?").fullmatch
_MOST_RANGES = 50


class MediaRange(NamedTuple):
    """One of the kinds that a request takes."""

    kind: str
    """In small letters; `text/*` and `*/*` take several."""
    parameters: Mapping[str, str]
    quality: float
    """From 0, not taken at all, to 1."""


class Preference(NamedTuple):
    """How much a request likes a kind of answer; compares."""

    quality: float
    exactness: int
    """2: it was named, 1: its type was, 0: anything is taken, -1: it was not mentioned."""


def read_accept(header: str) -> Sequence[MediaRange]:
    """Read a field; without one, anything is taken. What is no range of media types is left out."""
    ranges = [_range(part) for part in (header or "*/*").split(",")[:_MOST_RANGES]]
    return [found for found in ranges if found]


def preference(ranges: Sequence[MediaRange], media_type: str) -> Preference:
    """Find what the most exact of the ranges says of a media type; of equally exact ones the one that likes it best."""
    exactness = {"*/*": 0, f"{media_type.partition('/')[0]}/*": 1, media_type: 2}
    matching = [(exactness[found.kind], found.quality) for found in ranges if found.kind in exactness]
    if not matching:
        return Preference(0.0, -1)
    exact, quality = max(matching)
    return Preference(quality, exact)


def _range(text: str) -> MediaRange | None:
    kind, *pairs = (part.strip() for part in text.split(";"))
    parameters = {
        name.strip().lower(): value.strip(' "') for name, mark, value in (p.partition("=") for p in pairs) if mark
    }
    quality = parameters.pop("q", "1")
    if "/" not in kind or not is_quality(quality):
        return None
    return MediaRange(kind.lower(), parameters, float(quality))
