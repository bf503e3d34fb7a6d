"""Funnels: how many users did some things one after the other. Pure, in columns: a question looks at millions.

A user counts for the furthest step that was reached in order: each strictly later than the one before, all at most
`within` after a first step that lies in the range. Any of the first steps may be the one; later steps may lie behind
the range.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

from app.domain.activities import ACTIVITY_TYPE
from app.domain.errors import DomainError
from app.domain.identities import Key
from app.domain.rollups import DatedActivities, Day

DEFAULT_TYPES = ("view", "page_view", "cart.added", "purchase")
"""Of which the instants are kept, where nobody says otherwise."""
MOST_KEPT = 10
"""Types."""
MOST_STEPS = 10
LONGEST_WITHIN = timedelta(days=366)
VisitorNumber = int
"""Stands for a visitor where there are millions: 8 bytes of a digest of the key. That two of 10 million visitors share
one has a chance of one in 370,000."""

_NOTHING = blake2b(digest_size=8)
_STEP_BITS = 4
_MICROSECOND = timedelta(microseconds=1)
_SMALLEST, _NUMBERS = -(2**63), 2**64
_AT_ONCE = 16_000
"""First steps whose users are looked at together, about."""
_MOST_RANGES = 128


class Instants(NamedTuple):
    """When visitors did something: two columns of one length, in no order; signed numbers of 64 bits."""

    visitors: "array[int]"
    """VisitorNumber of each."""
    at: "array[int]"
    """Microseconds since 1970, UTC."""

    def extend(self, others: "Instants") -> None:
        """Take others in."""
        self.visitors.extend(others.visitors)
        self.at.extend(others.at)

    def of_visitors(self, wanted: Collection[VisitorNumber]) -> "Instants":
        """Choose those of some visitors."""
        return self.chosen([place for place, visitor in enumerate(self.visitors) if visitor in wanted])

    def by_visitor(self) -> "Instants":
        """Put them into the order of their visitors."""
        return self.chosen(sorted(range(len(self.at)), key=self.visitors.tolist().__getitem__))

    def chosen(self, places: Sequence[int]) -> "Instants":
        """Take those at some places."""
        visitors, at = self
        return Instants(array("q", [visitors[place] for place in places]), array("q", [at[place] for place in places]))

    def without(self, others: "Instants") -> "Instants":
        """Leave others out, each once."""
        leaving: dict[tuple[int, int], int] = {}
        for one in zip(*others, strict=True):
            leaving[one] = leaving.get(one, 0) + 1
        rest = no_instants()
        for one in zip(*self, strict=True):
            if leaving.get(one):
                leaving[one] -= 1
            else:
                rest.visitors.append(one[0])
                rest.at.append(one[1])
        return rest


DayOfType = tuple[str, Day]
InstantsByDay = dict[DayOfType, Instants]


class Digest(NamedTuple):
    """Tells two multisets of instants apart, in whatever order they came."""

    number: int = 0
    visitors: int = 0
    """The sum of their numbers."""
    at: int = 0
    """The sum of the instants."""
    both: int = 0
    """The sum of the products."""

    def plus(self, more: Instants) -> "Digest":
        """Take some in."""
        both = sum(map(int.__mul__, more.visitors, more.at))
        return Digest(
            self.number + len(more.at), self.visitors + sum(more.visitors), self.at + sum(more.at), self.both + both
        )


def digests_of(instants: InstantsByDay, known: Mapping[DayOfType, Digest]) -> dict[DayOfType, Digest]:
    """Tell the digests of their types and days with these instants besides; others are not repeated."""
    return {key: known.get(key, Digest()).plus(own) for key, own in instants.items()}


@dataclass(slots=True)
class GatheredInstants:
    """Instants that are handed on together: `hand_on` is called with `at_once` or more of them."""

    hand_on: Callable[[InstantsByDay], None]
    at_once: int
    waiting: InstantsByDay = field(default_factory=dict)
    number: int = 0

    def add(self, new: InstantsByDay) -> None:
        """Take some in."""
        for key, instants in new.items():
            self.number += len(instants.at)
            if key in self.waiting:
                self.waiting[key].extend(instants)
            else:
                self.waiting[key] = instants
        if self.number >= self.at_once:
            self.finish()

    def finish(self) -> None:
        """Hand on what is left."""
        self.hand_on(self.waiting)
        self.waiting, self.number = {}, 0


class InvalidFunnelError(DomainError):
    """Nobody can ask that; the message says why."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """What is asked: types in their order, and the time for all of them.

    Raises:
        InvalidFunnelError: no types, too many, or names that no type has; or no time, or too much of it.
    """

    steps: Sequence[str]
    within: timedelta

    def __post_init__(self) -> None:
        """Refuse what is none."""
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise InvalidFunnelError(f"steps: {len(self.steps)} are given; expected 1 to {MOST_STEPS}, by commas")
        for step in self.steps:
            if ACTIVITY_TYPE.fullmatch(step) is None:
                raise InvalidFunnelError(f"steps: {step[:100]!r} is no type of activities")
        if not timedelta() < self.within <= LONGEST_WITHIN:
            raise InvalidFunnelError(f"within: expected more than nothing and at most {LONGEST_WITHIN.days}d")

    @property
    def later_types(self) -> Collection[str]:
        """The types of the steps behind the first one, each once."""
        return dict.fromkeys(self.steps[1:])


class FunnelStep(NamedTuple):
    """How many users came at least to a step."""

    step: int
    """From 1 on."""
    type: str
    users: int


Parts = list[Instants]
"""Each in the order of its visitors, so that all of some visitors are cut out of it."""


@dataclass(frozen=True, slots=True)
class FunnelEvidence:
    """What an answer follows from."""

    first: Parts
    """First steps in the range, all of them."""
    later: Mapping[str, Parts]
    """By type: the instants of later steps, at least those within reach of a first step."""
    person_of: Mapping[VisitorNumber, VisitorNumber] = field(default_factory=dict)
    """For visitors who are one with others: one number for all of them."""


def no_instants() -> Instants:
    """Begin two columns."""
    return Instants(array("q"), array("q"))


def numbers_of(visitors: Iterable[Key]) -> "array[int]":
    """Number visitors: the same number wherever and whenever it is asked for."""
    return array("q", b"".join([_digest(visitor) for visitor in visitors]))


def _digest(visitor: Key) -> bytes:
    digest = _NOTHING.copy()  # a third faster than to begin each anew
    digest.update(visitor.encode())
    return digest.digest()


def instants_by_day(dated: DatedActivities, visitors: Sequence[Key | None], types: Collection[str]) -> InstantsByDay:
    """Sort the instants of some types; what nobody did, as far as is known, has none."""
    places: dict[DayOfType, list[int]] = {}
    for place, key in enumerate(zip(dated.activities.types, dated.days, strict=True)):
        if key[0] in types and visitors[place] is not None:
            if key in places:
                places[key].append(place)
            else:
                places[key] = [place]
    occurred_at = dated.activities.occurred_at
    digests: dict[Key | None, bytes] = {}
    return {
        key: Instants(
            _numbered([visitors[place] for place in own], digests), array("q", [occurred_at[at] for at in own])
        )
        for key, own in places.items()
    }


def _numbered(visitors: Sequence[Key | None], digests: dict[Key | None, bytes]) -> "array[int]":
    for visitor in set(visitors).difference(digests):
        digests[visitor] = _digest(visitor or "")
    return array("q", b"".join([digests[visitor] for visitor in visitors]))


def users_by_step(funnel: Funnel, evidence: FunnelEvidence, go_on: Callable[[], None] = lambda: None) -> list[int]:
    """Count for each step the users who came at least so far.

    It goes through some visitors after the other: what is known of them fits into the caches of a processor, which is
    worth a factor of two to three. In between it calls `go_on`, which raises what is to end it.
    """
    reached = [0] * len(funnel.steps)
    linked = _Share(no_instants(), {type_: no_instants() for type_ in evidence.later})
    for begin, end in _ranges(sum(len(part.at) for part in evidence.first)):
        go_on()
        share = _share(evidence, begin, end)
        if evidence.person_of:
            share = linked.take_from(share, evidence.person_of)
        _count(funnel, share, reached)
    go_on()
    _count(funnel, linked, reached)
    return reached


class _Share(NamedTuple):
    """What is known of some visitors."""

    first: Instants
    later: Mapping[str, Instants]

    def take_from(self, share: "_Share", person_of: Mapping[VisitorNumber, VisitorNumber]) -> "_Share":
        """Take over what belongs to persons of several visitors, and leave the rest."""
        rest = _moved(share.first, self.first, person_of)
        return _Share(rest, {type_: _moved(own, self.later[type_], person_of) for type_, own in share.later.items()})


def _moved(own: Instants, to: Instants, person_of: Mapping[VisitorNumber, VisitorNumber]) -> Instants:
    linked = own.of_visitors(person_of)
    if not linked.at:
        return own
    to.extend(Instants(array("q", [person_of[visitor] for visitor in linked.visitors]), linked.at))
    return own.of_visitors({*own.visitors}.difference(person_of))


def _ranges(number: int) -> Iterator[tuple[VisitorNumber, VisitorNumber]]:
    """Cut all numbers of visitors into ranges, the second bound not included, by how many instants there are."""
    ranges = min(number // _AT_ONCE + 1, _MOST_RANGES)
    bounds = [_SMALLEST + (_NUMBERS * place) // ranges for place in range(ranges + 1)]
    return pairwise(bounds)


def _share(evidence: FunnelEvidence, begin: VisitorNumber, end: VisitorNumber) -> _Share:
    return _Share(
        _within(evidence.first, begin, end),
        {type_: _within(parts, begin, end) for type_, parts in evidence.later.items()},
    )


def _within(parts: Parts, begin: VisitorNumber, end: VisitorNumber) -> Instants:
    found = no_instants()
    for visitors, at in parts:
        low, high = bisect_left(visitors, begin), bisect_left(visitors, end)
        found.visitors.extend(visitors[low:high])
        found.at.extend(at[low:high])
    return found


def _count(funnel: Funnel, share: _Share, reached: list[int]) -> None:
    began = set(share.first.visitors)
    reached[0] += len(began)
    if len(funnel.steps) == 1 or not began:
        return
    came = began.intersection(share.later[funnel.steps[1]].visitors)
    for furthest in _furthest(funnel, share, came):
        for step in range(1, furthest + 1):
            reached[step] += 1


def _furthest(funnel: Funnel, share: _Share, users: Iterable[VisitorNumber]) -> Iterator[int]:
    """Tell of each of these users how many steps behind the first one were reached.

    A moment is one number: its instant, then its step counted from the last one. So the moments of a user need only be
    sorted, and of those in one instant later steps stand before earlier ones: none follows another.
    """
    last = len(funnel.steps) - 1
    moments: dict[VisitorNumber, list[int]] = {user: [] for user in users}
    by_step = [share.first, *(share.later[type_] for type_ in funnel.steps[1:])]
    for step, (visitors, instants) in enumerate(by_step):
        from_last = last - step
        for visitor, at in zip(visitors, instants, strict=True):
            if visitor in moments:
                moments[visitor].append(at << _STEP_BITS | from_last)
    within = funnel.within // _MICROSECOND
    for own in moments.values():
        own.sort()
        yield _steps_of(own, last, within)


def _steps_of(moments: Sequence[int], last: int, within: int) -> int:
    """Go through one user's moments. Of all ways to a step that was reached, that with the latest begin is best."""
    begun: list[int | None] = [None] * (last + 1)
    furthest = 0
    for moment in moments:
        step, at = last - (moment & (1 << _STEP_BITS) - 1), moment >> _STEP_BITS
        if step == 0:
            begun[0] = at
        elif (begin := begun[step - 1]) is not None and at - begin <= within:
            begun[step] = begin
            if step > furthest:
                furthest = step
                if step == last:
                    break
    return furthest
