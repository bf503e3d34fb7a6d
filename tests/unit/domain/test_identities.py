"""Who is one person: the definition."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.domain.activities import ALIAS, GROUP, IDENTIFY, Activity, with_origin
from app.domain.identities import ANONYMOUS, aliases_in, claims_in, owners_by, persons_by, told

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
X, Y, Z = (ANONYMOUS + name for name in "xyz")


def said(
    number: int, type_: str, user: str | None, other: str | None, *, after: int = 0, origin: str | None = None
) -> Activity:
    at = AT + timedelta(minutes=after)
    return Activity(UUID(int=number), type_, at, user_id=user, anonymous_id=other, origin=origin)


def persons(*statements: Activity) -> dict[str, str]:
    return persons_by(owners_by(claims_in(statements)), aliases_in(statements))


def test_an_anonymous_id_is_the_person_of_the_user_who_claims_it() -> None:
    assert persons(said(1, IDENTIFY, "ana", "x"), said(2, IDENTIFY, "ana", "y")) == {"ana": "ana", X: "ana", Y: "ana"}


def test_the_earliest_claim_holds_then_the_smallest_id() -> None:
    late, early = said(1, IDENTIFY, "ana", "x", after=1), said(2, IDENTIFY, "eva", "x")
    smaller = said(0, IDENTIFY, "mia", "x")

    assert owners_by(claims_in([late, early, late]))[X].user_id == "eva"
    assert owners_by(claims_in([early, smaller]))[X].user_id == "mia"


def test_users_who_claim_one_id_are_not_joined_by_it() -> None:
    assert persons(said(1, IDENTIFY, "ana", "x"), said(2, IDENTIFY, "eva", "x")) == {"ana": "ana", X: "ana"}


def test_aliases_join_users_over_others_whatever_their_order() -> None:
    joins = [said(1, ALIAS, "b", "a"), said(2, ALIAS, "d", "c"), said(3, ALIAS, "c", "b"), said(4, ALIAS, "a", "d")]

    for order in (joins, joins[::-1]):
        users = {key: name for key, name in persons(*order).items() if not key.startswith(ANONYMOUS)}
        assert users == dict.fromkeys("abcd", "a")


def test_an_alias_claims_the_previous_id_as_an_anonymous_one_too() -> None:
    assert persons(said(1, ALIAS, "ana", "x")) == {"ana": "ana", "x": "ana", X: "ana"}


def test_what_lacks_an_id_and_what_is_said_of_groups_means_nothing() -> None:
    assert persons(said(1, IDENTIFY, "ana", None), said(2, ALIAS, None, "x"), said(3, GROUP, "ana", "x")) == {}
    assert persons(said(4, ALIAS, "ana", None)) == {}
    assert aliases_in([said(5, ALIAS, "ana", "ana")]) == []


def test_a_claim_of_a_publishable_key_counts_from_when_it_came() -> None:
    received = (AT + timedelta(hours=1)).isoformat()
    public = with_origin(None, publishable=True, received_at=received)
    late = said(1, IDENTIFY, "eva", "x", after=-99, origin=public)
    others = [
        said(2, IDENTIFY, "eva", "y", origin=with_origin(None, received_at=received)),
        said(3, IDENTIFY, "eva", "z", origin=with_origin(None, publishable=True)),
    ]

    assert owners_by(claims_in([late, said(4, IDENTIFY, "ana", "x")]))[X].user_id == "ana"
    assert {claim.at for claim in claims_in(others)} == {AT}


def test_visitors_are_named_for_people() -> None:
    assert (told(Z), told("ana")) == ("anonymous 'z'", "user 'ana'")
