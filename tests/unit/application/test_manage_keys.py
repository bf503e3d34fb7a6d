"""Keys are made and shown once, listed, revoked."""

from datetime import timedelta

import pytest

from app.application.manage_keys import CreateKey, ListKeys, RevokeKey
from app.domain.api_keys import ALPHABET, TooManyKeysError, UnknownKeyError, digest_of, key_id_of
from app.domain.publishable_keys import InvalidKeyError, Publishable
from app.domain.users import UnknownUserError
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUsers
from tests.support.access_builders import a_user, created, user_id
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock


class World:
    """Use cases on one store with one user."""

    def __init__(self) -> None:
        store = AccessStore()
        self.users, self.keys, self.clock = MemoryUsers(store), MemoryApiKeys(store), FixedClock()
        self._made = 0
        self.create = CreateKey(self.keys, self.clock, self._random_text, self.users)
        self.listing = ListKeys(self.users, self.keys)
        self.revoke = RevokeKey(self.keys, self.clock)

    def _random_text(self, length: int) -> str:
        self._made += 1
        return ALPHABET[self._made] * length


@pytest.fixture
async def world() -> World:
    made = World()
    await made.users.add(a_user(1), created(a_user(1)))
    return made


async def test_a_new_key_is_shown_once_and_kept_as_a_digest(world: World):
    made = await world.create(user_id(1), "CI", NOW + timedelta(days=1))

    assert key_id_of(made.text) == made.key.key_id == "1" * 10
    assert made.key.digest == digest_of(made.text)
    assert (made.key.name, made.key.created_at, made.key.expires_at) == ("CI", NOW, NOW + timedelta(days=1))
    assert await world.listing(user_id(1)) == [made.key]


async def test_what_a_log_shows_of_a_new_key_is_not_the_key(world: World):
    made = await world.create(user_id(1), "CI")

    assert made.text not in repr(made)
    assert "2" * 32 not in repr(made)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_key_cannot_have_expired_already(world: World, seconds: int):
    with pytest.raises(InvalidKeyError) as refused:
        await world.create(user_id(1), "CI", NOW + timedelta(seconds=seconds))

    assert refused.value.field == "expires_at"


@pytest.mark.parametrize("name", ["x" * 101, "a\x00", "a\n", "\u2028", "\ud800"])
async def test_a_keys_name_can_be_shown(world: World, name: str):
    with pytest.raises(InvalidKeyError) as refused:
        await world.create(user_id(1), name)

    assert refused.value.field == "name"
    assert (await world.create(user_id(1), "")).key.name == ""


async def test_a_third_live_key_and_one_of_nobody_are_refused(world: World):
    await world.create(user_id(1), "one")
    await world.create(user_id(1), "two")

    with pytest.raises(TooManyKeysError):
        await world.create(user_id(1), "three")
    with pytest.raises(UnknownUserError):
        await world.create(user_id(9), "one")


async def test_the_keys_of_nobody_are_not_an_empty_list(world: World):
    assert await world.listing(user_id(1)) == []

    with pytest.raises(UnknownUserError):
        await world.listing(user_id(9))


async def test_a_revoked_key_makes_room_and_stays_revoked(world: World):
    made = await world.create(user_id(1), "one")
    await world.create(user_id(1), "two")
    world.clock.move(60)

    await world.revoke(user_id(1), made.key.key_id)
    world.clock.move(60)
    await world.revoke(user_id(1), made.key.key_id)
    await world.create(user_id(1), "three")

    revoked = {key.name: key.revoked_at for key in await world.listing(user_id(1))}
    assert revoked == {"one": NOW + timedelta(seconds=60), "two": None, "three": None}


async def test_a_key_that_is_not_the_users_cannot_be_revoked(world: World):
    made = await world.create(user_id(1), "one")

    with pytest.raises(UnknownKeyError):
        await world.revoke(user_id(2), made.key.key_id)
    with pytest.raises(UnknownKeyError):
        await world.revoke(user_id(1), "other")

    assert [key.revoked_at for key in await world.listing(user_id(1))] == [None]


async def test_a_publishable_key_looks_like_one_and_knows_what_it_may(world: World):
    writer = a_user(2, role="writer")
    await world.users.add(writer, created(writer))
    may = Publishable.of(["https://shop.example"])

    made = await world.create(user_id(2), "shop", publishable=may)

    assert made.text.startswith("mqp_")
    assert key_id_of(made.text) == made.key.key_id
    assert made.key.publishable == may
    assert await world.listing(user_id(2)) == [made.key]


async def test_a_publishable_key_is_for_users_who_may_post(world: World):
    with pytest.raises(InvalidKeyError, match="give the user the role writer") as refused:
        await world.create(user_id(1), "shop", publishable=Publishable.of(["*"]))

    assert refused.value.field == "publishable"
    with pytest.raises(UnknownUserError):
        await world.create(user_id(7), "shop", publishable=Publishable.of(["*"]))
