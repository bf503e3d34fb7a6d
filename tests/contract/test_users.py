"""What Users promises, over memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.application.ports.system import HistoryUnavailableError
from app.application.ports.users import UserMovedError, Users
from app.domain.access import Role
from app.domain.domain_events import UserFact
from app.domain.users import EmailTakenError, User, UserCounts, UserId, UsernameTakenError
from tests.fakes.users import AccessStore, MemoryUserLog, MemoryUsers
from tests.support.access_builders import a_key, a_user, created, deleted, updated, user_id
from tests.support.builders import NOW
from tests.support.history_backends import HistoryBackend, MemoryHistory, SqlHistory


@pytest.fixture
def users(history: HistoryBackend) -> Users:
    return history.users()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def add(users: Users, *them: User) -> None:
    for user in them:
        await users.add(user, created(user))


async def change(users: Users, user: User, seconds: float = 60, **values: Any) -> User:
    after = user.changed(later(seconds), **values)
    await users.save(user, after, updated(user, after))
    return after


async def delete(users: Users, user: User, seconds: float = 60) -> User:
    after = user.deleted(later(seconds))
    await users.save(user, after, deleted(after))
    return after


async def told(history: HistoryBackend) -> list[UserFact]:
    found = [logged.fact for logged in await history.user_log().read(0, 1000)]
    return [one for one in found if isinstance(one, UserFact)]


async def all_of(users: Users) -> Sequence[User]:
    return await users.page(1000, None, is_active=None)


async def test_a_user_comes_back_with_every_field(users: Users):
    plain = a_user(1)
    full = replace(
        a_user(
            2,
            username="Ana.B_c-9",
            email="ñandú+ß@exämple.com",
            full_name='Ana "\U0001f3ad" O\u2019Neill',
            role="admin",
        ),
        is_active=False,
        created_at=NOW.replace(microsecond=123_457),
        updated_at=later(0.000001),
        deleted_at=later(7),
        version=2**31 - 1,
    )

    await add(users, plain, full)

    assert await users.find(plain.user_id) == plain
    assert await users.find(full.user_id) == full
    assert isinstance((await users.find(full.user_id) or plain).role, Role)
    assert await users.find(user_id(3)) is None


async def test_an_active_user_is_found_by_name_in_any_letters(users: Users):
    await add(users, a_user(1, username="Ana"), a_user(2, username="gone", is_active=False))

    assert [await users.named(name) for name in ("ana", "ANA", "Ana")] == [a_user(1, username="Ana")] * 3
    assert [await users.named(name) for name in ("gone", "an", "", "ana\x00", "\ud800", "ana\n", "a" * 10_000)] == [
        None
    ] * 7


@pytest.mark.parametrize(
    ("mine", "theirs", "error"),
    [
        ({"username": "Ana"}, {"username": "aNA"}, UsernameTakenError),
        ({"email": "Ana@Example.com"}, {"email": "ana@example.COM"}, EmailTakenError),
        ({"email": "STRASSE@x.de"}, {"email": "straße@x.de"}, EmailTakenError),
        ({"email": "ΣΊΣΥΦΟΣ@x.gr"}, {"email": "σίσυφος@x.gr"}, EmailTakenError),
        ({"username": "Ana", "email": "ana@x.com"}, {"username": "ana", "email": "ANA@x.com"}, UsernameTakenError),
    ],
)
async def test_two_active_users_differ_in_name_and_address_whatever_the_case(
    history: HistoryBackend, mine: dict[str, Any], theirs: dict[str, Any], error: type[Exception]
):
    users = history.users()
    other = a_user(3)
    await add(users, a_user(1, **mine), other)
    before = (await users.counts(), await told(history), await history.api_keys().version())

    with pytest.raises(error):
        await add(users, a_user(2, **theirs))
    with pytest.raises(error):
        await change(users, other, **theirs)

    assert await users.find(user_id(2)) is None
    assert await users.find(other.user_id) == other
    assert (await users.counts(), await told(history), await history.api_keys().version()) == before


async def test_a_name_and_an_address_may_be_taken_from_two_users(users: Users):
    await add(users, a_user(1, email="one@x.com"), a_user(2, username="two"))

    with pytest.raises(UsernameTakenError):
        await add(users, a_user(3, username="TWO", email="ONE@x.com"))


async def test_a_user_may_write_its_own_name_otherwise(users: Users):
    await add(users, a_user(1, username="ana", email="ana@x.com"))

    after = await change(users, a_user(1, username="ana", email="ana@x.com"), username="Ana", email="ANA@x.com")

    assert await users.find(after.user_id) == after


async def test_a_name_is_free_once_nobody_active_has_it_and_who_comes_back_must_find_it_free(users: Users):
    first = a_user(1, username="ana", email="ana@x.com")
    await add(users, first)
    gone = await delete(users, first)
    second = a_user(2, username="ANA", email="ana@x.com")

    await add(users, second, a_user(3, username="ana", email="ana@x.com", is_active=False))

    assert await users.named("ana") == second
    with pytest.raises(UsernameTakenError):
        await change(users, gone, is_active=True)
    renamed = await change(users, gone, username="ana2")
    with pytest.raises(EmailTakenError):
        await change(users, renamed, is_active=True)
    back = await change(users, renamed, is_active=True, email="other@x.com")
    assert await users.find(first.user_id) == back
    assert (back.deleted_at, back.version) == (None, 4)


async def test_who_saves_what_somebody_else_has_changed_writes_nothing(history: HistoryBackend):
    users, before = history.users(), a_user(1)
    await add(users, before)
    after = await change(users, before, full_name="Ana")
    as_it_was = (await users.counts(), await told(history), await history.api_keys().version())

    with pytest.raises(UserMovedError):
        await change(users, before, full_name="Bea")
    with pytest.raises(UserMovedError):
        await delete(users, before)
    with pytest.raises(UserMovedError):
        await change(users, a_user(2), full_name="Never added")

    assert await all_of(users) == [after]
    assert (await users.counts(), await told(history), await history.api_keys().version()) == as_it_was


async def test_a_deleted_user_has_no_live_key_any_more_and_keeps_them_when_it_comes_back(history: HistoryBackend):
    users, keys = history.users(), history.api_keys()
    await add(users, a_user(1), a_user(2))
    for key in (a_key(1, at=later(1)), a_key(2, at=later(2), expires_at=later(3)), a_key(3, at=later(4))):
        await keys.add(key, key.created_at)
    await keys.revoke(user_id(1), a_key(1).key_id, later(10))
    await keys.add(a_key(4, of=user_id(2)), NOW)

    gone = await delete(users, a_user(1), seconds=60)
    await change(users, gone, seconds=90, is_active=True)

    assert [key.revoked_at for key in await keys.of_user(user_id(1))] == [later(60), later(60), later(10)]
    assert [key.revoked_at for key in await keys.of_user(user_id(2))] == [None]


async def test_an_inactive_user_keeps_its_keys(history: HistoryBackend):
    users, keys = history.users(), history.api_keys()
    await add(users, a_user(1))
    await keys.add(a_key(1), NOW)

    await change(users, a_user(1), is_active=False)

    assert [key.revoked_at for key in await keys.of_user(user_id(1))] == [None]


async def test_users_are_listed_by_id_some_at_a_time(users: Users):
    everybody = [a_user(number, is_active=number % 3 != 0) for number in (1, 2, 255, 256, 2**127, 2**128 - 1)]
    await add(users, *reversed(everybody))

    async def ids(limit: int, after: UserId | None = None, *, is_active: bool | None = None) -> list[int]:
        return [user.user_id.int for user in await users.page(limit, after, is_active=is_active)]

    assert await ids(9) == [1, 2, 255, 256, 2**127, 2**128 - 1]
    assert await ids(2) == [1, 2]
    assert await ids(2, user_id(2)) == [255, 256]
    assert await ids(9, user_id(100)) == [255, 256, 2**127, 2**128 - 1]
    assert await ids(9, user_id(2**128 - 1)) == await ids(0) == await ids(-1) == []
    assert await ids(9, is_active=False) == [255, 2**128 - 1]
    assert await ids(2, user_id(1), is_active=True) == [2, 256]


async def test_counts_follow_every_turn_of_a_users_life(users: Users):
    assert await users.counts() == UserCounts(0, 0, 0, 0, 0, 0)

    await add(users, a_user(1), a_user(2, is_active=False))
    assert await users.counts() == UserCounts(
        total=2, active=1, deleted=0, created_ever=2, updated_ever=0, deleted_ever=0
    )
    off = await change(users, a_user(1), is_active=False)
    assert await users.counts() == UserCounts(
        total=2, active=0, deleted=0, created_ever=2, updated_ever=1, deleted_ever=0
    )
    gone = await delete(users, off)
    assert await users.counts() == UserCounts(
        total=2, active=0, deleted=1, created_ever=2, updated_ever=1, deleted_ever=1
    )
    back = await change(users, gone, is_active=True)
    assert await users.counts() == UserCounts(
        total=2, active=1, deleted=0, created_ever=2, updated_ever=2, deleted_ever=1
    )
    await delete(users, back)
    assert await users.counts() == UserCounts(
        total=2, active=0, deleted=1, created_ever=2, updated_ever=2, deleted_ever=2
    )


async def test_each_change_is_told_and_raises_the_version_of_access(history: HistoryBackend):
    users, versions = history.users(), [await history.api_keys().version()]

    await add(users, a_user(1))
    versions.append(await history.api_keys().version())
    changed = await change(users, a_user(1), full_name="Ana", role=Role.ADMIN)
    versions.append(await history.api_keys().version())
    gone = await delete(users, changed)
    versions.append(await history.api_keys().version())

    assert versions == [0, 1, 2, 3]
    assert [(one.name, one.user) for one in await told(history)] == [
        ("user.created", a_user(1)),
        ("user.updated", changed),
        ("user.deleted", gone),
    ]


async def test_of_many_who_take_one_name_at_once_one_has_it(history: HistoryBackend):
    them = [a_user(number, username="ana" if number % 2 else "ANA") for number in range(1, 9)]
    them += [a_user(number, email="bea@x.com" if number % 2 else "Bea@X.com") for number in range(11, 19)]

    done = await asyncio.gather(*(add(history.users(), user) for user in them), return_exceptions=True)

    assert sorted(type(result).__name__ for result in done) == (
        ["EmailTakenError"] * 7 + ["NoneType"] * 2 + ["UsernameTakenError"] * 7
    )
    assert (await history.users().counts()).total == len(await told(history)) == 2


async def test_of_many_who_save_at_once_one_does(history: HistoryBackend):
    await add(history.users(), a_user(1))

    done = await asyncio.gather(
        *(change(history.users(), a_user(1), full_name=f"Ana {number}") for number in range(8)), return_exceptions=True
    )

    assert [type(result) for result in done].count(UserMovedError) == 7
    assert (await history.users().counts()).updated_ever == 1


turns = st.lists(
    st.tuples(
        st.sampled_from(("add", "add inactive", "on", "off", "rename", "delete")), st.integers(1, 4), st.integers(1, 3)
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told_turns=turns)
async def test_any_lives_end_as_in_the_reference(history: HistoryBackend, told_turns: list[tuple[str, int, int]]):
    history.clear()
    reference = MemoryHistory()

    for turn in told_turns:
        assert await live(history.users(), *turn) == await live(reference.users(), *turn)

    assert await all_of(history.users()) == await all_of(reference.users())
    counts = await history.users().counts()
    everybody = await all_of(history.users())
    assert counts == await reference.users().counts()
    assert counts.total == counts.created_ever == len(everybody)
    assert counts.active == sum(user.is_active for user in everybody)
    assert counts.deleted == sum(user.deleted_at is not None for user in everybody)
    assert [(one.name, one.user) for one in await told(history)] == [(o.name, o.user) for o in await told(reference)]


async def live(users: Users, turn: str, number: int, name: int) -> str:
    """Do one thing to one of a few users who share a few names; say how it ended."""
    user = await users.find(user_id(number))
    try:
        if user is None:
            if turn.startswith("add"):
                await add(users, a_user(number, username=f"N{name}", email=f"e{number % 3}@x", is_active=turn == "add"))
        elif turn == "delete":
            if user.deleted_at is None:
                await delete(users, user)
        else:
            values: dict[str, Any] = {"on": {"is_active": True}, "off": {"is_active": False}}.get(
                turn, {"username": f"n{name}"}
            )
            if user.changed(NOW, **values) is not user:
                await change(users, user, **values)
    except (UsernameTakenError, EmailTakenError) as error:
        return str(error)
    return "done"


async def test_memory_that_is_away_says_so():
    store = AccessStore()
    store.unavailable = "away"

    for attempt in (*each_method(MemoryUsers(store)), MemoryUserLog(store).read(0, 1), MemoryUserLog(store).head()):
        with pytest.raises(HistoryUnavailableError, match="away"):
            await attempt


async def test_a_database_without_our_tables_says_what_to_do(bare_history: SqlHistory):
    for attempt in each_method(bare_history.users()):
        with pytest.raises(HistoryUnavailableError, match="marquee migrate"):
            await attempt


def each_method(users: Users) -> Iterator[Awaitable[object]]:
    yield add(users, a_user())
    yield change(users, a_user(), full_name="Ana")
    yield users.find(user_id(1))
    yield users.named("ana")
    yield users.page(1, None, is_active=None)
    yield users.counts()
