"""One person is counted once, whatever comes first: over memory, SQLite and PostgreSQL."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.activities import ALIAS, GROUP, IDENTIFY, Activity, with_origin
from tests.support.activity_backends import ActivityBackend, SqlActivityBackend, by_definition, figures

BEGIN = datetime(2025, 12, 28, 12, tzinfo=UTC)
"""So that two days fall into one week, and the next into another year."""


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


@pytest.fixture
def sql(activity_sql: SqlActivityBackend) -> SqlActivityBackend:
    return activity_sql


def did(number: int, day: int, *, user: str | None = None, anonymous: str | None = None) -> Activity:
    """An activity of somebody on a day."""
    return Activity(UUID(int=number), "view", BEGIN + timedelta(days=day), user_id=user, anonymous_id=anonymous)


def said(
    number: int, type_: str, user: str | None, other: str | None, *, day: int = 0, received: int | None = None
) -> Activity:
    """A statement; `received` is the day on which one of a publishable key came."""
    origin = None
    if received is not None:
        origin = with_origin(None, publishable=True, received_at=(BEGIN + timedelta(days=received)).isoformat())
    at = BEGIN + timedelta(days=day)
    return Activity(UUID(int=number), type_, at, user_id=user, anonymous_id=other, origin=origin)


def identify(
    number: int, user: str | None, anonymous: str | None, *, day: int = 0, received: int | None = None
) -> Activity:
    return said(number, IDENTIFY, user, anonymous, day=day, received=received)


def alias(number: int, user: str, previous: str, *, day: int = 0) -> Activity:
    return said(number, ALIAS, user, previous, day=day)


async def counted(backend: ActivityBackend, *parts: Sequence[Activity]) -> list[int]:
    """Store, compare with the definition, and count the persons of the first days."""
    for part in parts:
        await backend.store().store(part)
    found = await figures(backend)
    assert found == by_definition([activity for part in parts for activity in part])
    assert await backend.keeper().verify() is None
    first = (BEGIN.date() - datetime(2025, 12, 1, tzinfo=UTC).date()).days
    users: list[int] = found["dau"][first : first + 4]
    return users


async def test_an_anonymous_visitor_is_counted_as_one(backend: ActivityBackend) -> None:
    assert await counted(backend, [did(1, 0, anonymous="x"), did(2, 0, anonymous="x"), did(3, 1)]) == [1, 0, 0, 0]


async def test_the_same_text_in_both_spaces_names_two_visitors(backend: ActivityBackend) -> None:
    assert await counted(backend, [did(1, 0, anonymous="x"), did(2, 0, user="x")]) == [2, 0, 0, 0]


async def test_a_user_who_is_identified_was_the_anonymous_visitor_before(backend: ActivityBackend) -> None:
    before = [did(1, 0, anonymous="x"), did(2, 1, anonymous="x"), did(3, 1, user="ana"), did(4, 2, user="ana")]

    assert await counted(backend, before) == [1, 2, 1, 0]
    assert await counted(backend, [*before, identify(5, "ana", "x", day=2)]) == [1, 1, 1, 0]


async def test_what_an_anonymous_visitor_did_may_come_after_the_claim(backend: ActivityBackend) -> None:
    later = [did(2, 0, anonymous="x"), did(3, 0, user="ana")]

    assert await counted(backend, [identify(1, "ana", "x", day=2)], later) == [1, 0, 0, 0]


async def test_an_anonymous_id_belongs_to_whoever_claimed_it_first(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 0, user="ana"), did(3, 0, user="eva"), did(4, 1, user="eva")]
    late, early = identify(5, "ana", "x", day=2), identify(6, "eva", "x", day=1)

    assert await counted(backend, [*days, did(7, 1, anonymous="x")], [late]) == [2, 2, 0, 0]
    assert await counted(backend, [*days, did(7, 1, anonymous="x")], [late], [early]) == [2, 1, 0, 0]


async def test_of_two_claims_at_the_same_time_the_smallest_id_decides(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 1, user="ana"), did(3, 0, user="eva")]

    assert await counted(backend, days, [identify(9, "ana", "x")], [identify(8, "eva", "x")]) == [1, 1, 0, 0]


async def test_two_users_who_claim_one_visitor_stay_two_persons(backend: ActivityBackend) -> None:
    days = [did(1, 0, user="ana"), did(2, 0, user="eva")]

    assert await counted(backend, [*days, identify(3, "ana", "x"), identify(4, "eva", "x", day=1)]) == [2, 0, 0, 0]


async def test_a_claim_of_a_publishable_key_takes_nothing_from_who_has_it(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 1, user="ana"), did(3, 0, user="eva")]
    forged = identify(4, "eva", "x", day=-20, received=3)

    assert await counted(backend, [*days, identify(5, "ana", "x", day=2)], [forged]) == [2, 1, 0, 0]


async def test_a_claim_of_a_publishable_key_holds_where_nobody_was_before(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 0, user="ana")]

    assert await counted(backend, [*days, identify(4, "ana", "x", received=3)]) == [1, 0, 0, 0]


async def test_an_alias_joins_two_users_and_whoever_they_are_already(backend: ActivityBackend) -> None:
    four = [did(n, 0, user=name) for n, name in enumerate(["ana", "ana.m", "amalia", "eva"])]
    joins = [alias(11, "ana", "ana.m"), alias(12, "amalia", "eva", day=1), alias(13, "eva", "ana", day=2)]

    assert await counted(backend, four, joins[:1]) == [3, 0, 0, 0]
    assert await counted(backend, [*four, *joins[:1]], joins[1:2]) == [2, 0, 0, 0]
    assert await counted(backend, [*four, *joins[:2]], joins[2:]) == [1, 0, 0, 0]


async def test_an_alias_claims_the_anonymous_id_of_that_name_as_well(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 0, user="x"), did(3, 0, user="ana")]

    assert await counted(backend, days, [alias(4, "ana", "x")]) == [1, 0, 0, 0]


async def test_an_alias_of_users_who_share_their_visitors_goes_with_all_of_them(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 1, anonymous="y"), did(3, 2, user="ana"), did(4, 0, user="eva")]
    claims = [identify(5, "ana", "x"), identify(6, "eva", "y")]

    assert await counted(backend, [*days, *claims], [alias(7, "ana", "eva")]) == [1, 1, 1, 0]


async def test_statements_are_kept_and_count_nothing(backend: ActivityBackend) -> None:
    nothing = [said(1, GROUP, "ana", "x"), identify(2, "ana", None), identify(3, None, "x"), alias(4, "ana", "ana")]

    assert await backend.store().store(nothing) == 4
    assert await counted(backend, nothing) == [0, 0, 0, 0]
    assert await backend.stats().totals() == []
    assert await backend.keeper().rebuild() == 4


async def test_a_person_who_loses_the_last_other_id_is_alone_again(backend: ActivityBackend) -> None:
    days = [did(1, 0, anonymous="x"), did(2, 1, user="ana")]
    taken = [days, [identify(3, "ana", "x", day=2)], [identify(4, "eva", "x", day=1)]]

    assert await counted(backend, *taken) == [1, 1, 0, 0]
    assert await counted(backend, *taken, [did(5, 2, user="ana"), identify(6, "ana", "y")]) == [1, 1, 1, 0]


async def test_a_rebuild_gives_the_same_persons(backend: ActivityBackend) -> None:
    everything = some_lives(60, seed=5)
    await backend.store().store(everything)
    before = await figures(backend)

    await backend.keeper().reset()
    assert (await figures(backend))["totals"] == []
    assert await backend.keeper().rebuild() == len(everything)

    assert await figures(backend) == before == by_definition(everything)
    assert await backend.keeper().verify() is None
    more = some_lives(30, seed=6)
    await backend.store().store(more)
    assert await figures(backend) == by_definition([*everything, *more])
    assert await backend.keeper().verify() is None


def some_lives(count: int, *, seed: int) -> list[Activity]:
    """Activities and statements of few visitors, so that all meet."""
    chance = random.Random(seed)

    def one(number: int) -> Activity:
        day, user, other = chance.randrange(20), f"u{chance.randrange(5)}", f"a{chance.randrange(6)}"
        match chance.randrange(8):
            case 0 | 1:
                return identify(number, user, other, day=day)
            case 2:
                return identify(number, user, other, day=day, received=chance.randrange(20))
            case 3:
                return alias(number, user, f"u{chance.randrange(5)}" if chance.random() < 0.5 else other, day=day)
            case 4 | 5:
                return did(number, day, anonymous=other)
            case _:
                return did(number, day, user=user)

    return [one(seed * 10_000 + number) for number in range(count)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_order_repetition_and_splitting_do_not_matter_to_persons(
    backend: ActivityBackend, data: st.DataObject
) -> None:
    everything = some_lives(30, seed=data.draw(st.integers(1, 1_000)))
    sent = data.draw(st.permutations(everything))
    sent += data.draw(st.lists(st.sampled_from(everything), max_size=10))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=10)))
    await backend.clear()

    for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        await backend.store().store(sent[begin:end])

    assert await figures(backend) == by_definition(everything)
    assert await backend.keeper().verify() is None


async def test_workers_at_once_join_and_store_without_waiting_for_ever(sql: SqlActivityBackend) -> None:
    everything = [one for seed in range(1, 11) for one in some_lives(60, seed=seed)]
    chance = random.Random(7)
    chance.shuffle(everything)
    parts = [everything[start : start + 20] for start in range(0, len(everything), 20)]
    workers = [sql.store() for _ in range(4)]

    async def work(number: int) -> None:
        for part in parts[number % 2 :: 2]:  # each part goes to two of them
            await workers[number].store(part)

    await asyncio.gather(*map(work, range(4)))

    assert await figures(sql) == by_definition(everything)
    assert await sql.keeper().verify() is None


SPOILED = {
    "UPDATE visitors SET person = NULL WHERE visitor = 'eva'": ("person of anonymous 'eva'", "user 'eva'"),
    "UPDATE visitors SET person = NULL": ("person of anonymous 'eva'", "user 'ana', user 'eva'"),
    "UPDATE persons SET first_day = first_day - 1": ("days of the person of anonymous 'eva'", "2025-12-28"),
    "DELETE FROM persons": ("days of the person of anonymous 'eva'", "2025-12-28"),
    "DELETE FROM claims": ("claims", "2"),
    "UPDATE claims SET at = 5 WHERE anonymous_id = 'x'": ("owner of anonymous 'x'", "user 'ana' since 2025-12-28"),
    "DELETE FROM aliases": ("aliases", "1"),
}


@pytest.mark.parametrize("spoil", SPOILED)
async def test_verify_names_the_person_that_is_wrong(sql: SqlActivityBackend, spoil: str) -> None:
    people = [did(1, 0, user="ana"), did(2, 0, user="eva"), did(3, 0, anonymous="x"), identify(4, "ana", "x")]
    await sql.store().store([*people, alias(5, "ana", "eva")])
    assert await sql.keeper().verify() is None

    await sql.database.write(lambda connection: connection.execute(text(spoil)))

    difference = await sql.keeper().verify()
    assert difference is not None
    assert difference.rollup == SPOILED[spoil][0]
    assert SPOILED[spoil][1] in difference.folded
    assert difference.kept != difference.folded
    await sql.keeper().rebuild()
    assert await sql.keeper().verify() is None
