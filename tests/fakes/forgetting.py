"""What forgetting asks for, in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from app.application.ports.forgetting import (
    ForgetList,
    Forgetting,
    ForgottenNames,
    QueuedActivities,
    ToldActivities,
)
from app.domain.activities import ActivityId
from app.domain.identities import ANONYMOUS, claims_in, owners_by
from app.domain.removal import ToRemove, digest_of
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream


class MemoryForgetList(ForgetList):
    """A dict."""

    def __init__(self) -> None:
        self._entries: dict[UUID, Forgetting] = {}

    def begin(self, forgetting: Forgetting) -> None:
        """Put it there."""
        self._entries[forgetting.forgetting_id] = forgetting

    def add_ids(self, forgetting_id: UUID, ids: Collection[ActivityId]) -> None:
        """Join them."""
        known = self._entries[forgetting_id]
        self._entries[forgetting_id] = replace(known, ids=known.ids | frozenset(ids))

    def entries(self) -> Sequence[Forgetting]:
        """List it."""
        return list(self._entries.values())


class MemoryForgottenNames(ForgottenNames):
    """The names in a MemoryActivityStore."""

    def __init__(self, store: MemoryActivityStore) -> None:
        self._store = store
        self._noted: set[UUID] = set()

    async def anonymous_of(self, users: Collection[str]) -> frozenset[str]:
        """Go by the definition."""
        owners = owners_by(claims_in(self._store.kept()))
        return frozenset(key.removeprefix(ANONYMOUS) for key, claim in owners.items() if claim.user_id in users)

    async def matching(self, digests: Collection[str]) -> ToRemove:
        """Try every name."""
        kept = self._store.kept()

        def found(kind: str, names: Collection[str | None]) -> frozenset[str]:
            return frozenset(name for name in names if name is not None and digest_of(kind, name) in digests)

        return ToRemove(
            users=found("user", {one.user_id for one in kept}),
            anonymous=found("anonymous", {one.anonymous_id for one in kept}),
            sources=found("source", {one.source for one in kept}),
        )

    async def note(self, forgetting: Forgetting) -> None:
        """Note it."""
        self._noted.add(forgetting.forgetting_id)

    async def noted(self) -> frozenset[UUID]:
        """List them."""
        return frozenset(self._noted)


class MemoryQueuedActivities(QueuedActivities):
    """What is in a MemoryActivityStream."""

    def __init__(self, stream: MemoryActivityStream) -> None:
        self._stream = stream

    async def ids_of(self, wanted: ToRemove) -> Sequence[ActivityId]:
        """Look through the entries."""
        self._stream.store.check()
        waiting = [one for entry in self._stream.entries.values() for one in entry.activities]
        return [one.activity_id for one in waiting if wanted.holds(one)]

    async def forget_letters(self, wanted: ToRemove) -> Sequence[ActivityId]:
        """Leave them out; a letter of none of the others is dropped."""
        self._stream.store.check()
        gone: list[ActivityId] = []
        for letter in list(self._stream.letters.values()):
            kept = [one for one in letter.activities if not wanted.holds(one)]
            gone += [one.activity_id for one in letter.activities if wanted.holds(one)]
            if kept or not letter.activities:
                self._stream.letters[letter.letter_id] = replace(letter, activities=kept)
            else:
                del self._stream.letters[letter.letter_id]
        return gone


class MemoryToldActivities(ToldActivities):
    """So many deliveries tell of whoever is forgotten."""

    def __init__(self, deliveries: int = 0) -> None:
        self.deliveries = deliveries

    async def forget(self, wanted: ToRemove) -> int:  # noqa: ARG002 - all are of them
        """Forget all."""
        gone, self.deliveries = self.deliveries, 0
        return gone
