"""An installation without users lets its first admin in, once."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from app.application.first_admin import LetFirstAdminIn
from app.application.manage_keys import CreateKey
from app.application.manage_users import CreateUser, DeleteUser
from app.application.ports.users import Users
from app.domain.access import Role
from app.domain.api_keys import key_id_of
from app.domain.users import UserCounts
from app.infrastructure.wiring.identifiers import random_text
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUsers
from tests.support.fixed_clock import FixedClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    def __init__(self) -> None:
        store = AccessStore()
        self.clock = FixedClock(NOW)
        self.users = MemoryUsers(store)
        self.keys = MemoryApiKeys(store)

    def let_in(self, users: Users | None = None) -> LetFirstAdminIn:
        create_user = CreateUser(self.users, self.clock, uuid4)
        return LetFirstAdminIn(
            users or self.users, create_user, CreateKey(self.keys, self.clock, random_text, self.users)
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_the_first_start_makes_an_admin_with_a_key(world: World) -> None:
    key = await world.let_in()()

    assert key is not None
    found = await world.keys.find(key_id_of(key) or "")
    assert found is not None
    assert found.key.matches(key)
    assert (found.owner.username, found.owner.role) == ("admin", Role.ADMIN)


async def test_a_later_start_makes_nothing(world: World) -> None:
    await world.let_in()()

    assert await world.let_in()() is None


async def test_an_admin_who_was_deleted_does_not_come_back_by_a_restart(world: World) -> None:
    await world.let_in()()
    admin = await world.users.named("admin")
    assert admin is not None
    await DeleteUser(world.users, world.clock, uuid4)(admin.user_id)

    assert await world.let_in()() is None


async def test_of_two_first_starts_at_once_one_makes_the_admin(world: World) -> None:
    class SawNobody(MemoryUsers):
        async def counts(self) -> UserCounts:
            return UserCounts(0, 0, 0, 0, 0, 0)

    await world.let_in()()

    assert await world.let_in(SawNobody(AccessStore()))() is None
