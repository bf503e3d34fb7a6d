"""The port of the samples of what doors did not take: the newest few of each reason."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.refused_samples import RefusedSample

SAMPLES_KEPT = 3
"""Of each reason."""


@dataclass(frozen=True, slots=True)
class FoundSamples:
    """What was found."""

    samples: Sequence[RefusedSample]
    """By reason, the newest first."""
    is_shared: bool
    """Whether they are those of all processes; else of this one, for nobody can ask the others."""


class RefusedSamples(Protocol):
    """The newest samples of each reason, of all processes together.

    Bounded: SAMPLES_KEPT of each reason, and reasons are words of ours.
    """

    @abstractmethod
    def note(self, sample: RefusedSample) -> None:
        """Keep a sample. Never waits, never fails; others see it about a second later."""

    @abstractmethod
    async def last(self) -> FoundSamples:
        """List them. Never raises."""

    @abstractmethod
    async def forget(self, users: Collection[str]) -> int:
        """Forget the samples in which the id of one of these users stands; return how many.

        Raises:
            LiveStateUnavailableError: some may be there still.
        """
