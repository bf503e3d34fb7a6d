"""Which activities are to be taken out for good. Pure."""

from dataclasses import dataclass, field

from app.domain.activities import STATEMENTS, Activity, ActivityId
from app.domain.activity_spans import ActivitySpan
from app.domain.identities import ANONYMOUS, Key


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
