"""Keys that all the world may read: pages of named origins post activities with them, and nothing else. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from app.domain.activities import ACTIVITY_TYPE
from app.domain.errors import DomainError

ANY_ORIGIN = "*"
"""Pages of any origin, and whoever is no page, such as an app on a phone."""
MOST_ORIGINS, MOST_TYPES = 50, 100
"""Of one key."""
LONGEST_ORIGIN = 255
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[1-9][0-9]{0,4})?|https?://\[[0-9a-f:]+\](:[1-9][0-9]{0,4})?", re.ASCII)
"""As browsers write it (RFC 6454), in small letters and without the port that goes without saying."""
USUAL_PORT = re.compile(r"(?<=^http:)(//.*):80$|(?<=^https:)(//.*):443$")


class InvalidKeyError(DomainError):
    """What a new key is to be like makes no sense; `field` names what."""

    def __init__(self, field: str, message: str) -> None:
        """Keep the field for the answer."""
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Publishable:
    """From where a key that is no secret posts, and what."""

    origins: frozenset[str]
    """Of pages; ANY_ORIGIN stands alone."""
    types: frozenset[str] | None = None
    """None: any."""

    @classmethod
    def of(cls, origins: Collection[str], types: Collection[str] = ()) -> "Publishable":
        """Make it of what somebody wrote; no types are any.

        Raises:
            InvalidKeyError: there is no origin, one is none, or a type is none.
        """
        if not origins:
            raise InvalidKeyError("origins", f"a publishable key needs at least one; {ANY_ORIGIN} is any")
        read = frozenset(map(_read_origin, origins))
        if ANY_ORIGIN in read and len(read) > 1:
            raise InvalidKeyError("origins", f"{ANY_ORIGIN} is any already: name it alone, or leave it out")
        for type_ in types:
            if not ACTIVITY_TYPE.fullmatch(type_):
                raise InvalidKeyError("types", f"{type_[:100]!r} is no type; expected one such as page_view")
        for field, found, most in (("origins", read, MOST_ORIGINS), ("types", types, MOST_TYPES)):
            if len(found) > most:
                raise InvalidKeyError(field, f"expected at most {most}, found {len(found):,}")
        return cls(read, frozenset(types) or None)

    def admits(self, origin: str | None) -> bool:
        """Tell whether it is for pages of an origin; None is whoever says none."""
        return ANY_ORIGIN in self.origins or origin in self.origins


def read_publishable(*, publishable: bool, origins: Collection[str], types: Collection[str]) -> Publishable | None:
    """Read what a new key is to be; None: a secret one.

    Raises:
        InvalidKeyError: it makes no sense.
    """
    if publishable:
        return Publishable.of(origins, types)
    for field, found in (("origins", origins), ("types", types)):
        if found:
            raise InvalidKeyError(field, "only a publishable key has any")
    return None


def _read_origin(text: str) -> str:
    origin = text.strip().lower().removesuffix("/")
    origin = USUAL_PORT.sub(r"\1\2", origin)
    if origin != ANY_ORIGIN and (len(origin) > LONGEST_ORIGIN or not ORIGIN.fullmatch(origin)):
        expected = "one such as https://shop.example, as the browser writes it (xn-- for other letters)"
        raise InvalidKeyError("origins", f"{text[:100]!r} is no origin; expected {expected}")
    return origin
