"""Who may do what."""

from itertools import product

import pytest

from app.domain.access import (
    ALWAYS_OPEN,
    OPEN_ELSEWHERE,
    OPEN_ON_LOOPBACK,
    OPENABLE,
    Area,
    NotAllowedError,
    OnlyActivitiesError,
    Principal,
    Role,
    UnauthenticatedError,
    check,
)
from app.domain.publishable_keys import Publishable

ORDER = [Role.READER, Role.WRITER, Role.OPERATOR, Role.ADMIN]
NEEDED = {Area.INGEST: Role.WRITER, Area.OPERATIONS: Role.OPERATOR, Area.ADMIN: Role.ADMIN}
CLOSED: frozenset[Area] = frozenset()


def a_principal(role: Role) -> Principal:
    return Principal(name="ana", role=role, caller="key:1")


def may(principal: Principal | None, area: Area, anonymous: frozenset[Area]) -> bool:
    try:
        check(principal, area, anonymous)
    except (UnauthenticatedError, NotAllowedError):
        return False
    return True


@pytest.mark.parametrize(("has", "needs"), list(product(ORDER, ORDER)))
def test_a_role_may_do_what_those_before_it_may(has: Role, needs: Role):
    assert has.covers(needs) == (ORDER.index(has) >= ORDER.index(needs))


@pytest.mark.parametrize("area", Area)
def test_reading_needs_a_reader_and_each_other_thing_its_own_role(area: Area):
    assert area.needs is NEEDED.get(area, Role.READER)


@pytest.mark.parametrize(("area", "role"), list(product(Area, Role)))
def test_where_nothing_is_open_the_role_decides(area: Area, role: Role):
    assert may(a_principal(role), area, CLOSED) == (area is Area.PAGE or role.covers(area.needs))


@pytest.mark.parametrize("area", Area)
def test_what_is_open_needs_nobody_and_refuses_nobody(area: Area):
    assert may(None, area, frozenset({area}))
    assert may(a_principal(Role.READER), area, frozenset({area}))


@pytest.mark.parametrize("area", Area)
def test_without_a_key_only_the_page_is_open_of_itself(area: Area):
    assert may(None, area, CLOSED) == (area is Area.PAGE)


def test_administration_can_never_be_opened():
    assert Area.ADMIN not in OPENABLE | OPEN_ON_LOOPBACK | OPEN_ELSEWHERE | ALWAYS_OPEN
    assert OPENABLE | ALWAYS_OPEN | {Area.ADMIN} == frozenset(Area)


def test_elsewhere_than_on_loopback_only_search_and_health_are_open():
    assert frozenset({Area.SEARCH, Area.HEALTH}) == OPEN_ELSEWHERE
    assert OPEN_ELSEWHERE < OPEN_ON_LOOPBACK


def test_a_refusal_says_what_is_needed():
    with pytest.raises(UnauthenticatedError, match=r"a key of the role writer: send `Authorization: Bearer KEY`"):
        check(None, Area.INGEST, CLOSED)
    with pytest.raises(
        NotAllowedError, match="needs the role admin; the role of this key or token is writer"
    ) as refused:
        check(a_principal(Role.WRITER), Area.ADMIN, CLOSED)

    assert refused.value.needed is Role.ADMIN


def test_a_publishable_key_posts_activities_and_opens_nothing_that_is_closed():
    visitor = Principal("shop", Role.ADMIN, "key:1", publishable=Publishable.of(["https://shop.example"]))

    check(visitor, Area.INGEST, frozenset())
    check(visitor, Area.STATS, frozenset({Area.STATS}))
    for area in set(Area) - {Area.INGEST, Area.PAGE}:
        with pytest.raises(OnlyActivitiesError, match="post activities and nothing else"):
            check(visitor, area, frozenset())
