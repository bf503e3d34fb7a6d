"""What changes when ids leave a person or join one. Pure; costs what those who are touched have, not what all have."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.identities import ANONYMOUS, Key
from app.domain.user_days import UserDays, joined
from app.domain.user_figures import UserFigures


class Known(NamedTuple):
    """What is kept of one id."""

    visits: UserDays | None
    """Its own; None: it did nothing yet."""
    person: Key | None
    """The person that it is with others, by the name of one of its users; None: it is alone."""


class Person(NamedTuple):
    """What is kept of ids that are one person: two at least."""

    visits: UserDays | None
    """Of all its ids together."""
    ids: int


@dataclass(slots=True)
class Regrouped:
    """What is to be written: first `renamed`, then `labels`; first `ended`, then `persons`."""

    renamed: dict[Key, Key] = field(default_factory=dict)
    """All ids of one person become ids of another."""
    labels: dict[Key, Key | None] = field(default_factory=dict)
    """Single ids, and the person that each is from now on."""
    ended: set[Key] = field(default_factory=set)
    persons: dict[Key, Person] = field(default_factory=dict)
    figures: UserFigures = field(default_factory=UserFigures)


@dataclass(slots=True, eq=False)
class _Group:
    """A person, or an id that is alone."""

    before: UserDays | None
    visits: UserDays | None
    ids: int
    names: list[Key] = field(default_factory=list)
    """Of the persons in it; the first one stays."""
    single: list[Key] = field(default_factory=list)
    """Ids in it that have the label of none of these."""
    into: "_Group | None" = None
    is_changed: bool = False


class Regrouping:
    """Begins with what is kept of all ids that are named, and of their persons; `Regrouped` is the outcome."""

    def __init__(self, known: Mapping[Key, Known], persons: Mapping[Key, Person]) -> None:
        self._persons = {
            name: _Group(person.visits, person.visits, person.ids, names=[name]) for name, person in persons.items()
        }
        self._groups = {
            key: _Group(one.visits, one.visits, 1, single=[key]) if one.person is None else self._persons[one.person]
            for key, one in known.items()
        }
        self._dissolved: dict[Key, Key] = {}

    def leave(self, person: Key, own: Mapping[Key, UserDays | None], leaving: Iterable[Key]) -> None:
        """Take ids out of a person; `own` has the days of each of its ids."""
        group, rest = self._persons[person], dict(own)
        for key in leaving:
            self._groups[key] = _Group(None, rest.pop(key), 1, single=[key], is_changed=True)
        group.is_changed, group.ids, group.visits = True, len(rest), None
        for visits in rest.values():
            group.visits = joined(group.visits, visits)
        if len(rest) == 1:
            (last,) = rest
            group.names, group.single = [], [last]
            self._groups[last] = group
            self._dissolved[person] = last

    def join(self, one: Key, other: Key) -> None:
        """Make two ids one person, with all who are it already: the smaller side joins the larger one."""
        small, large = sorted((self._find(one), self._find(other)), key=lambda group: (group.ids, len(group.names)))
        if small is large:
            return
        small.into, large.is_changed, small.is_changed = large, True, True
        large.ids += small.ids
        large.visits = joined(large.visits, small.visits)
        large.names += small.names
        large.single += small.single

    def outcome(self, retained: Collection[str] = frozenset()) -> Regrouped:
        """Say what changes; retention is kept of all types together, and of those that are `retained`."""
        result = Regrouped(ended=set(self._dissolved), figures=UserFigures(retained))
        everybody = {id(group): group for group in (*self._persons.values(), *self._groups.values())}
        for group in everybody.values():
            if group.is_changed:
                is_gone = group.into is not None
                result.figures.move(group.before, None if is_gone else group.visits)
                if not is_gone:
                    _note(group, result)
        return result

    def _find(self, key: Key) -> _Group:
        group = self._groups[key]
        while group.into is not None:
            group = group.into
        return group


def _note(group: _Group, result: Regrouped) -> None:
    if group.ids == 1:
        result.labels |= dict.fromkeys(group.single)
        return
    name, *others = group.names or [min(key for key in group.single if not key.startswith(ANONYMOUS))]
    result.renamed |= dict.fromkeys(others, name)
    result.ended |= set(others)
    result.labels |= dict.fromkeys(group.single, name)
    result.persons[name] = Person(group.visits, group.ids)
