"""Who sends activities, and what they may send."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.activities import ALIAS, STATEMENTS, Activity, ActivityRefusedError


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever delivers activities: by a key, from an address, through a broker."""

    name: str | None = None
    """Tells one from another, such as the caller whom a rate limit counts; None: nobody knows."""
    publishable: bool = False
    """Whether all the world may have the key: what it says of who somebody is is believed of nobody who is known."""
    types: frozenset[str] | None = None
    """The only types it may send, statements apart; None: any."""

    def refused_of(self, activities: Iterable[Activity]) -> dict[int, ActivityRefusedError]:
        """List those that it may not send, by their positions, with the reason."""
        if self.types is None and not self.publishable:
            return {}
        flaws = ((position, self._flaw_of(activity.type)) for position, activity in enumerate(activities))
        return {position: flaw for position, flaw in flaws if flaw}

    def _flaw_of(self, type_: str) -> ActivityRefusedError | None:
        if type_ in STATEMENTS:
            if type_ == ALIAS and self.publishable:
                return ActivityRefusedError(
                    "not_allowed", "type", "a publishable key joins no users: send a secret key"
                )
            return None
        if self.types is None or type_ in self.types:
            return None
        expected = ", ".join(sorted(self.types))
        return ActivityRefusedError("type_not_allowed", "type", f"{type_!r} is none of those of this key: {expected}")


UNKNOWN_SENDER = Sender()
