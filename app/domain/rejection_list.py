"""What of a feed cannot be used now: a row for each record or part, from when it was first met until it is mended."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from app.domain.feeds import Rejection
from app.domain.plans import PlanKey


class RejectionIdentity(NamedTuple):
    """By what two rejections are told to be of one record, or of one part of it."""

    whose: PlanKey | str
    """The plan; else the base; else the record as the feed has it."""
    reason: str
    part: str | None
    place: int = 0
    """Which of several: records of one base that tell no item are told apart by their order alone."""


def identity(rejection: Rejection) -> RejectionIdentity:
    """Say what it is a rejection of."""
    whose = rejection.key or rejection.base_id or rejection.source
    return RejectionIdentity(whose, rejection.reason, rejection.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRejection:
    """A row: a rejection as it was met last, and since when it stands."""

    rejection: Rejection
    first_seen_at: datetime
    last_seen_at: datetime
    times: int
    """Runs that met it."""
    run_id: str
    """The last of them."""
    mended_at: datetime | None = None
    """When a run found it no more; None while it stands."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run found out of the rejections of a feed."""

    run_id: str
    at: datetime
    met: Sequence[Rejection]
    """In the feed's order."""
    read_well: Collection[PlanKey] = ()
    """Plans that had a standing rejection and were read without one."""
    is_whole: bool = True
    """Whether it would have met every one that stands."""


def stand(
    standing: Iterable[StandingRejection], found: Finding
) -> tuple[Sequence[StandingRejection], Sequence[StandingRejection]]:
    """Tell which rejections stand after a run, those that it met first, and which have been mended."""
    rows = list(standing)
    before = dict(zip(_identities(row.rejection for row in rows), rows, strict=True))
    met: dict[RejectionIdentity, StandingRejection] = {}
    for one, rejection in zip(_identities(found.met), found.met, strict=True):
        met.setdefault(one, _row(before.get(one), rejection, found))
    others = [row for key, row in before.items() if key not in met]
    mended = [row for row in others if found.is_whole or row.rejection.key in found.read_well]
    gone = {id(row) for row in mended}
    kept = [row for row in others if id(row) not in gone]
    return [*met.values(), *kept], [replace(row, mended_at=found.at) for row in mended]


def _identities(rejections: Iterable[Rejection]) -> Iterator[RejectionIdentity]:
    """Say of several what each is a rejection of."""
    met: Counter[RejectionIdentity] = Counter()
    for rejection in rejections:
        one = identity(rejection)
        yield one if rejection.key else one._replace(place=met[one])
        met[one] += 1


def _row(known: StandingRejection | None, rejection: Rejection, found: Finding) -> StandingRejection:
    return StandingRejection(
        rejection=rejection,
        first_seen_at=known.first_seen_at if known else found.at,
        last_seen_at=found.at,
        times=known.times + 1 if known else 1,
        run_id=found.run_id,
    )
