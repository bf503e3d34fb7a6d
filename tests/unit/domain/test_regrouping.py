"""What changes when ids leave a person or join one, compared with the definition."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.domain.identities import ANONYMOUS, Key
from app.domain.regrouping import Known, Person, Regrouped, Regrouping
from app.domain.stats import Cell, Granularity
from app.domain.user_days import UserDays, days_with, together
from app.domain.user_figures import Active, UserFigures

X, Y = ANONYMOUS + "x", ANONYMOUS + "y"
ONE, TWO, BOTH = days_with({"view": [1]}), days_with({"view": [2]}), days_with({"view": [1, 2]})

KINDS = (["view"], ["view", "buy"], ["buy"])


def test_two_who_are_alone_become_a_person_with_a_users_name() -> None:
    regrouping = Regrouping({X: Known(ONE, None), "ana": Known(TWO, None)}, {})

    regrouping.join(X, "ana")

    found = regrouping.outcome()
    assert found.persons == {"ana": Person(BOTH, 2)}
    assert found.labels == {X: "ana", "ana": "ana"}
    assert (found.renamed, found.ended) == ({}, set())
    assert not any(users for key, users in found.figures.active.items() if key.granularity is Granularity.DAY)
    assert found.figures.active[Active("view", Granularity.WEEK, 0)] == -1
    assert found.figures.cells[Cell(Granularity.DAY, 1, 1)] == 1
    assert found.figures.cells[Cell(Granularity.DAY, 2, 0)] == -1


def test_one_who_joins_a_person_changes_a_row_however_many_are_there() -> None:
    regrouping = Regrouping({X: Known(None, None), "ana": Known(TWO, "eva")}, {"eva": Person(TWO, 1_000)})

    regrouping.join("ana", X)
    regrouping.join(X, "ana")

    found = regrouping.outcome()
    assert found.persons == {"eva": Person(TWO, 1_001)}
    assert (found.labels, found.renamed) == ({X: "eva"}, {})
    assert not any(found.figures.active.values())


def test_of_two_persons_the_smaller_one_takes_the_others_name() -> None:
    known = {"ana": Known(ONE, "ana"), "eva": Known(TWO, "eva")}
    regrouping = Regrouping(known, {"ana": Person(ONE, 2), "eva": Person(TWO, 3)})

    regrouping.join("ana", "eva")

    found = regrouping.outcome()
    assert (found.renamed, found.labels, found.ended) == ({"ana": "eva"}, {}, {"ana"})
    assert found.persons == {"eva": Person(BOTH, 5)}


def test_who_leaves_a_pair_leaves_the_other_alone() -> None:
    regrouping = Regrouping({X: Known(ONE, "ana"), "eva": Known(None, None)}, {"ana": Person(BOTH, 2)})

    regrouping.leave("ana", {X: ONE, "ana": TWO}, [X])
    regrouping.join(X, "eva")

    found = regrouping.outcome()
    assert found.labels == {"ana": None, X: "eva", "eva": "eva"}
    assert (found.ended, found.persons) == ({"ana"}, {"eva": Person(ONE, 2)})


def test_nothing_that_is_one_already_changes() -> None:
    regrouping = Regrouping({X: Known(ONE, "ana"), "ana": Known(ONE, "ana")}, {"ana": Person(ONE, 2)})

    regrouping.join(X, "ana")

    assert regrouping.outcome() == Regrouped()


class Kept:
    """A store in dicts, which is written as `Regrouped` says."""

    def __init__(self, visits: dict[Key, UserDays | None]) -> None:
        self.known = {key: Known(own, None) for key, own in visits.items()}
        self.persons: dict[Key, Person] = {}
        self.figures = UserFigures()
        for own in visits.values():
            self.figures.move(None, own)

    def change(self, leaves: list[Key], joins: list[tuple[Key, Key]]) -> None:
        names = {*leaves, *(key for pair in joins for key in pair)}
        touched = {one.person for key, one in self.known.items() if key in names and one.person}
        regrouping = Regrouping({key: self.known[key] for key in names}, {name: self.persons[name] for name in touched})
        for person in touched:
            leaving = [key for key in leaves if self.known[key].person == person]
            if leaving:
                regrouping.leave(
                    person, {key: one.visits for key, one in self.known.items() if one.person == person}, leaving
                )
        for pair in joins:
            regrouping.join(*pair)
        self.write(regrouping.outcome())

    def write(self, found: Regrouped) -> None:
        for key, one in self.known.items():
            if one.person in found.renamed:
                self.known[key] = Known(one.visits, found.renamed[one.person])
        for key, name in found.labels.items():
            self.known[key] = Known(self.known[key].visits, name)
        for name in found.ended:
            del self.persons[name]
        self.persons |= found.persons
        self.figures.add(found.figures)

    def groups(self) -> set[frozenset[Key]]:
        people: dict[Key, set[Key]] = {}
        for key, one in self.known.items():
            people.setdefault(one.person or f"alone {key}", set()).add(key)
        return {frozenset(group) for group in people.values()}


@given(seed=st.integers(0, 10_000))
def test_any_row_of_changes_gives_the_groups_and_figures_of_the_definition(seed: int) -> None:
    chance = random.Random(seed)
    users, others = ["a", "b", "c"], [f"{ANONYMOUS}{n}" for n in range(5)]
    days = {
        key: days_with({name: chance.sample(range(70), chance.randrange(1, 4)) for name in chance.choice(KINDS)})
        if chance.random() < 0.8
        else None
        for key in [*users, *others]
    }
    kept = Kept(days)
    owner: dict[Key, Key] = {}
    joined: list[tuple[Key, Key]] = []
    for _ in range(chance.randrange(1, 5)):
        moved = {other: chance.choice(users) for other in chance.sample(others, chance.randrange(4))}
        moved = {other: user for other, user in moved.items() if owner.get(other) != user}
        pairs = [(chance.choice(users), chance.choice(users)) for _ in range(chance.random() < 0.3)]
        kept.change([other for other in moved if other in owner], [*moved.items(), *pairs])
        owner |= moved
        joined += pairs

    groups = {frozenset({key}) for key in days}
    for one, other in [*owner.items(), *joined]:
        both = {group for group in groups if one in group or other in group}
        groups = (groups - both) | {frozenset().union(*both)}
    assert kept.groups() == groups
    expected = UserFigures()
    for group in groups:
        all_: UserDays | None = None
        for own in filter(None, map(days.get, group)):
            all_ = own if all_ is None else together(all_, own)
        expected.move(None, all_)
        if len(group) > 1:
            (name,) = {kept.known[key].person for key in group}
            assert name in group
            assert kept.persons[name] == Person(all_, len(group))
    assert len(kept.persons) == sum(len(group) > 1 for group in groups)
    assert +kept.figures.active == +expected.active
    assert +kept.figures.cells == +expected.cells
    assert min([0, *kept.figures.active.values(), *kept.figures.cells.values()]) == 0
