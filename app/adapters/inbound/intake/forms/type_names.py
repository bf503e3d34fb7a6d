"""The name of an event, as people write it, becomes a type: `Order Completed` is `order_completed`.

A name that is a type stays as it is. Else, in this order: letters lose their accents; where a small letter is followed
by a capital one, a new word begins; letters become small; a letter or digit that is not of ASCII becomes `u` and its
code point in hexadecimal, as a word of its own; whatever else is none of `a-z 0-9 . -` parts words, which `_` joins;
what then begins with no letter gets `event_` in front. What is longer than a type may be ends with eight digits
of its SHA-256, and a name that would have another meaning here gets a `_` at its end.
"""

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256

from app.domain.activities import ACTIVITY_TYPE, RESERVED_TYPES

LONGEST_TYPE = 100
TAKEN = RESERVED_TYPES | {"identify", "alias", "group"}
"""Questions to the stats, and what says who somebody is."""
NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
GAP = re.compile(r"[^a-z0-9.-]+")
ENDS = "_.-"
DIGITS = 8


@lru_cache(maxsize=4096)
def type_of_name(name: str) -> str:
    """Make a type of a name, always the same."""
    if ACTIVITY_TYPE.fullmatch(name):
        return f"{name}_" if name in TAKEN else name
    words = _without_accents(NEW_WORD.sub(" ", _without_accents(name)).casefold())
    spelled = "".join(char if char.isascii() else _spelled(char) for char in words)
    made = GAP.sub("_", spelled).strip(ENDS)
    if not made[:1].isalpha():
        made = f"event_{made}".rstrip("_")
    if len(made) > LONGEST_TYPE:
        made = f"{made[: LONGEST_TYPE - DIGITS - 1]}_{sha256(name.encode()).hexdigest()[:DIGITS]}"
    return f"{made}_" if made in TAKEN else made


def _without_accents(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))


def _spelled(char: str) -> str:
    return f" u{ord(char):x} " if char.isalnum() else " "
