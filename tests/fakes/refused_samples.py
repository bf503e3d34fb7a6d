"""Samples of what doors did not take, in memory."""

from collections.abc import Collection

from app.application.ports.refused_samples import SAMPLES_KEPT, FoundSamples, RefusedSamples
from app.domain.refused_samples import RefusedSample
from tests.fakes.store import MemoryStore


class MemoryRefusedSamples(RefusedSamples):
    """A list, the newest first."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._samples: list[RefusedSample] = []

    def note(self, sample: RefusedSample) -> None:
        """Keep it while there is room among those of its reason."""
        same = [one for one in (sample, *self._samples) if one.reason == sample.reason]
        others = [one for one in self._samples if one.reason != sample.reason]
        self._samples = sorted([*same[:SAMPLES_KEPT], *others], key=lambda one: one.reason)

    async def last(self) -> FoundSamples:
        """Tell all."""
        return FoundSamples(list(self._samples), is_shared=self._store.unavailable is None)

    async def forget(self, users: Collection[str]) -> int:
        """Drop them."""
        self._store.check()
        kept = [sample for sample in self._samples if not sample.names(users)]
        forgotten = len(self._samples) - len(kept)
        self._samples = kept
        return forgotten
