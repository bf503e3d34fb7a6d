"""Users are added, found, changed and deleted, and each change is told."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from app.application.manage_users import CreateUser, DeleteUser, FindUser, NewUser, UpdateUser
from app.application.ports.users import UserMovedError
from app.domain.access import Role
from app.domain.domain_events import UserCreated, UserDeleted, UserUpdated
from app.domain.users import InvalidUserError, UnknownUserError, User, UsernameTakenError
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUsers
from tests.support.access_builders import a_key, user_id
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock

ANA = NewUser(username="ana", email="ana@example.com", full_name="Ana", role=Role.WRITER)


class World:
    """Use cases on one store; ids count up."""

    def __init__(self) -> None:
        self.store = AccessStore()
        self.users = MemoryUsers(self.store)
        self.clock = FixedClock()
        self._last_id = 0
        self.create = CreateUser(self.users, self.clock, self._new_id)
        self.find = FindUser(self.users)
        self.update = UpdateUser(self.users, self.clock, self._new_id)
        self.delete = DeleteUser(self.users, self.clock, self._new_id)

    def _new_id(self) -> UUID:
        self._last_id += 1
        return user_id(self._last_id)

    def meddle(self, times: int) -> None:
        """Let somebody else change user 1 each time that its next state is being made."""
        left = iter(range(times))

        def new_id() -> UUID:
            for number in left:
                user = self.store.users[user_id(1)]
                self.store.users[user_id(1)] = user.changed(NOW, full_name=f"by somebody else, {number}")
                break
            return self._new_id()

        self.update = UpdateUser(self.users, self.clock, new_id)
        self.delete = DeleteUser(self.users, self.clock, new_id)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_new_user_gets_an_id_and_is_told(world: World):
    user = await world.create(ANA)

    assert user == User(
        user_id=user_id(1),
        username="ana",
        email="ana@example.com",
        full_name="Ana",
        role=Role.WRITER,
        created_at=NOW,
        updated_at=NOW,
    )
    assert await world.find(user.user_id) == user
    assert world.store.told == [UserCreated(event_id=str(user_id(2)), occurred_at=NOW, user=user)]


async def test_a_new_user_is_a_reader_and_active_unless_said_otherwise(world: World):
    plain = await world.create(NewUser(username="plain", email="plain@x"))
    off = await world.create(NewUser(username="off", email="off@x", is_active=False))

    assert (plain.role, plain.is_active, off.is_active) == (Role.READER, True, False)


async def test_a_user_that_breaks_a_rule_is_not_added(world: World):
    await world.create(ANA)

    with pytest.raises(InvalidUserError):
        await world.create(replace(ANA, username=""))
    with pytest.raises(UsernameTakenError):
        await world.create(replace(ANA, username="ANA"))

    assert (len(world.store.users), len(world.store.told)) == (1, 1)


async def test_a_change_is_told_with_the_fields_that_differ(world: World):
    before = await world.create(ANA)
    world.clock.move(60)

    after = await world.update(before.user_id, {"username": "ana", "full_name": None, "role": Role.ADMIN})

    assert after == before.changed(world.clock.now(), full_name=None, role=Role.ADMIN)
    assert await world.find(before.user_id) == after
    told = world.store.told[-1]
    assert told == UserUpdated(
        event_id=told.event_id, occurred_at=world.clock.now(), user=after, fields=("full_name", "role")
    )


@pytest.mark.parametrize("values", [{}, {"full_name": "Ana", "is_active": True}])
async def test_a_change_that_says_nothing_new_is_not_told(world: World, values: dict[str, object]):
    user = await world.create(ANA)

    assert await world.update(user.user_id, values) == user

    assert len(world.store.told) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"user_id": user_id(9)}, "user_id"),
        ({"version": 9}, "version"),
        ({"deleted_at": None}, "deleted_at"),
        ({"full_name": "x", "nonsense": 1}, "nonsense"),
        ({"username": None}, "username"),
        ({"is_active": None}, "is_active"),
        ({"role": "admin"}, "role"),
        ({"email": "\x00@b"}, "email"),
    ],
)
async def test_what_nobody_may_change_is_refused(world: World, values: dict[str, object], field: str):
    user = await world.create(ANA)

    with pytest.raises(InvalidUserError) as refused:
        await world.update(user.user_id, values)

    assert refused.value.field == field
    assert await world.find(user.user_id) == user


async def test_who_is_deleted_is_inactive_its_keys_are_dead_and_it_is_told_once(world: World):
    user = await world.create(ANA)
    keys = MemoryApiKeys(world.store)
    await keys.add(a_key(of=user.user_id), NOW)
    world.clock.move(60)

    await world.delete(user.user_id)
    world.clock.move(60)
    await world.delete(user.user_id)

    gone = await world.find(user.user_id)
    assert (gone.is_active, gone.deleted_at) == (False, gone.updated_at)
    assert [key.revoked_at for key in await keys.of_user(user.user_id)] == [gone.deleted_at]
    assert [type(one) for one in world.store.told] == [UserCreated, UserDeleted]


@pytest.mark.parametrize(
    "ask",
    [
        lambda world: world.find(user_id(9)),
        lambda world: world.update(user_id(9), {"full_name": "Ana"}),
        lambda world: world.delete(user_id(9)),
    ],
)
async def test_nobody_is_not_found(world: World, ask: Callable[[World], object]):
    with pytest.raises(UnknownUserError):
        await ask(world)  # type: ignore[misc]


async def test_who_is_changed_meanwhile_is_looked_at_again(world: World):
    user = await world.create(ANA)
    world.meddle(4)

    after = await world.update(user.user_id, {"role": Role.ADMIN})

    assert (after.role, after.full_name, after.version) == (Role.ADMIN, "by somebody else, 3", 6)
    assert len(world.store.told) == 2


async def test_who_is_changed_for_ever_is_given_up(world: World):
    user = await world.create(ANA)
    world.meddle(100)

    with pytest.raises(UserMovedError):
        await world.update(user.user_id, {"role": Role.ADMIN})
    with pytest.raises(UserMovedError):
        await world.delete(user.user_id)

    assert len(world.store.told) == 1
