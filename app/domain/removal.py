"""Which activities are to be taken out for good. Pure."""

from dataclasses import dataclass, field
from hashlib import sha256

from app.domain.activities import STATEMENTS, Activity, ActivityId
from app.domain.activity_spans import ActivitySpan
from app.domain.identities import ANONYMOUS, Key

KINDS = ("user", "anonymous", "source")
"""What can have a name."""


@dataclass(frozen=True, slots=True)
class ToRemove:
    """Those of which one of these is true. None, or an empty set: nobody by that."""

    import_id: int | None = None
    """An import brought them."""
    users: frozenset[str] = frozenset()
    """User ids; statements go as well that say something of them."""
    anonymous: frozenset[str] = frozenset()
    """Anonymous ids. What was done under one as a user is the user's."""
    sources: frozenset[str] = frozenset()
    ids: frozenset[ActivityId] = frozenset()
    span: ActivitySpan = field(default_factory=ActivitySpan)
    """None of them lies outside; the smaller it is, the less is read."""

    def holds(self, activity: Activity, import_id: int | None = None) -> bool:
        """Tell whether one is to go; `import_id`: which import brought it."""
        return self.span.holds(activity.occurred_at) and (
            (import_id is not None and import_id == self.import_id)
            or activity.user_id in self.users
            or (activity.user_id is None and activity.anonymous_id in self.anonymous)
            or (activity.type in STATEMENTS and activity.anonymous_id in self.users | self.anonymous)
            or activity.source in self.sources
            or activity.activity_id in self.ids
        )

    @property
    def visitors(self) -> list[Key]:
        """The visitors of whom nothing is to be left."""
        return sorted([*self.users, *(ANONYMOUS + one for one in self.anonymous)])


def digests_of(wanted: ToRemove) -> frozenset[str]:
    """Write users, anonymous ids and sources so that they can be recognised, and not be read: SHA-256, hexadecimal."""
    named = zip(KINDS, (wanted.users, wanted.anonymous, wanted.sources), strict=True)
    return frozenset(digest_of(kind, name) for kind, names in named for name in names)


def digest_of(kind: str, name: str) -> str:
    """Write one of KINDS."""
    return sha256(f"{kind}\0{name}".encode(errors="surrogatepass")).hexdigest()
