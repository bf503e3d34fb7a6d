"""How the records of one delivery are read, and what is noticed while they are."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.adapters.inbound.reading.activity_names import LONGEST_NAME, FieldNames
from app.domain.sender_clocks import is_off

MOST_NAMES = 20
"""Different names that are told of one delivery."""

USUAL_NAMES = FieldNames()


@dataclass(slots=True)
class Reading:
    """One is made for each delivery."""

    names: FieldNames = USUAL_NAMES
    received_at: datetime | None = None
    """When the delivery came, by a clock that is right (aware, UTC); None: nobody knows, and no clock is corrected."""
    sent_at: datetime | None = None
    """When it was sent, by the sender's clock, for the records that do not say it themselves."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Names of fields that mean nothing here, in the order in which they were met, and in how many records."""
    placeholders: Counter[str] = field(default_factory=Counter)
    """What was no user where one was expected."""
    sent_ids: dict[UUID, str] = field(default_factory=dict)
    """The ids that are texts, as they were sent, by what was made of them."""

    def begin_again(self) -> None:
        """Forget what was noticed."""
        self.ignored.clear()
        self.placeholders.clear()
        self.sent_ids.clear()

    @property
    def is_off(self) -> bool:
        """Whether the sender's clock is off as far as the delivery tells."""
        return self.sent_at is not None and self.received_at is not None and is_off(self.sent_at, self.received_at)

    def ignore(self, names: Iterable[str]) -> None:
        """Note names of one record; what is long is cut, and of many names the first are told."""
        for name in names:
            told = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
            if told in self.ignored or len(self.ignored) < MOST_NAMES:
                self.ignored[told] += 1
