"""Note what doors did not understand: how often by reason, and a sample."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.application.figures import NOT_UNDERSTOOD
from app.application.ports.figures import Figure, Tally
from app.application.ports.refused_samples import RefusedSamples
from app.application.ports.system import Clock
from app.domain.refused_samples import RefusedSample, shown_message, shown_sample

IGNORED_FIELDS, PLACEHOLDER_USERS = "ignored_fields", "placeholder_users"
"""Reasons of what was taken: a field meant nothing, or what stood for a user was none."""


@dataclass(frozen=True, slots=True)
class NoteRefusals:
    """Counts for all processes; samples are cut, and hold no key."""

    samples: RefusedSamples
    tally: Tally
    clock: Clock

    def __call__(self, reason: str, count: int, message: str, sent: bytes = b"") -> None:
        """Note what so many records had, and one of them. Never waits, never fails."""
        self.tally.add(NOT_UNDERSTOOD.of(reason), count)
        sample = RefusedSample(reason, shown_message(message), shown_sample(sent), self.clock.now())
        self.samples.note(sample)


def counts_by_reason(counted: Mapping[Figure, float]) -> dict[str, int]:
    """Pick what was counted here out of all figures, by reason."""
    found = {name.labels[0]: round(count) for name, count in counted.items() if name.name == NOT_UNDERSTOOD.name}
    return dict(sorted(found.items()))
