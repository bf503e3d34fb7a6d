"""Forget visitors, sources or single activities, so that figures are as if they had never been."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from app.application.ports.activities import Progress, StatsKeeper
from app.application.ports.forgetting import (
    ForgetList,
    Forgetting,
    ForgottenNames,
    QueuedActivities,
    ToldActivities,
)
from app.application.ports.refused_samples import RefusedSamples
from app.application.ports.removal import ActivityRemoval, FiguresIncompleteError
from app.application.ports.system import Clock
from app.domain.activities import ActivityId
from app.domain.removal import ToRemove, digests_of


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was forgotten."""

    activities: int
    waiting: int
    """Activities in the queue, which will not be stored."""
    dead_letters: int
    """Activities in dead letters."""
    samples: int
    """Of what doors refused."""
    deliveries: int
    """To webhooks."""
    anonymous: int
    """Anonymous ids that belonged to the users."""
    had_frozen_days: bool
    """Whether the days of activities that have left were taken from users; what is counted by type there stays."""


@dataclass(frozen=True, slots=True)
class Forget:
    """First the list, then what is on its way, then what is stored; one that was killed is simply begun again."""

    forget_list: ForgetList
    names: ForgottenNames
    queued: QueuedActivities
    refused_samples: RefusedSamples
    told_activities: ToldActivities
    removal: ActivityRemoval
    clock: Clock
    new_id: Callable[[], UUID]

    async def __call__(self, wanted: ToRemove, progress: Progress | None = None) -> Forgotten:
        """Forget all of those wanted that is there now; what comes later is new, but for late copies.

        Raises:
            ForgetListError: nothing was forgotten yet; or the last step is not on the list.
            LiveStateUnavailableError: what waits is not forgotten, and nothing that is stored.
            HistoryUnavailableError: some of it may be forgotten; the same again forgets the rest.
            FiguresIncompleteError: the figures do not count what is to be forgotten.
        """
        own = await self.names.anonymous_of(wanted.users)
        wanted = replace(wanted, anonymous=wanted.anonymous | own)
        entry = Forgetting(self.new_id(), self.clock.now(), digests_of(wanted), wanted.ids)
        self.forget_list.begin(entry)
        waiting = await self.queued.ids_of(wanted)
        buried = await self.queued.forget_letters(wanted)
        self.forget_list.add_ids(entry.forgetting_id, [*waiting, *buried])
        await self.removal.spend(sorted({*waiting, *buried, *wanted.ids}))
        named = [*wanted.users, *wanted.anonymous, *wanted.sources, *map(str, wanted.ids)]
        samples = await self.refused_samples.forget(named)
        deliveries = await self.told_activities.forget(wanted)
        activities, frozen = await _taken_out(self.removal, wanted, self._keep(entry), progress)
        await self.names.note(entry)
        return Forgotten(activities, len(waiting), len(buried), samples, deliveries, len(own), frozen)

    def _keep(self, entry: Forgetting) -> Callable[[Sequence[ActivityId]], None]:
        return partial(self.forget_list.add_ids, entry.forgetting_id)


@dataclass(frozen=True, slots=True)
class ForgetAgain:
    """Apply the list to a database that does not know of all of it: one that was set back."""

    forget_list: ForgetList
    names: ForgottenNames
    removal: ActivityRemoval
    keeper: StatsKeeper

    async def __call__(self, progress: Progress | None = None) -> int:
        """Forget what the database has not forgotten; return how many activities that were.

        Raises:
            ForgetListError: the list cannot be read.
            HistoryUnavailableError: some of it may be forgotten; the same again forgets the rest.
        """
        entries = self.forget_list.entries()
        noted = await self.names.noted() if entries else frozenset()
        removed = 0
        for entry in entries:
            if entry.forgetting_id not in noted:
                removed += await self._forget(entry, progress)
        return removed

    async def _forget(self, entry: Forgetting, progress: Progress | None) -> int:
        """Forget an entry; the figures of an older version are made anew first, for they count less."""
        await self.removal.spend(sorted(entry.ids))
        wanted = replace(await self.names.matching(entry.digests), ids=entry.ids)
        try:
            activities, _ = await _taken_out(self.removal, wanted, _keep_none, progress)
        except FiguresIncompleteError:
            await self.keeper.rebuild()
            activities, _ = await _taken_out(self.removal, wanted, _keep_none, progress)
        await self.names.note(entry)
        return activities


def _keep_none(_ids: Sequence[ActivityId]) -> None:
    """Keep no ids: they are on the list."""


async def _taken_out(
    removal: ActivityRemoval, wanted: ToRemove, keep: Callable[[Sequence[ActivityId]], None], progress: Progress | None
) -> tuple[int, bool]:
    """Take out what is stored, step by step; how many that were, and whether users had days before."""
    removed, place = 0, ""
    while True:
        step = await removal.remove(wanted, place, frees_ids=False)
        keep(step.ids)
        removed += len(step.ids)
        if progress:
            progress(removed)
        if step.place is None:
            return removed, await removal.forget_frozen_days(wanted)
        place = step.place
