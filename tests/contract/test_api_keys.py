"""What ApiKeys promises, over memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.application.ports.system import HistoryUnavailableError
from app.application.ports.users import ApiKeys, OwnedKey
from app.domain.access import Role
from app.domain.api_keys import LIVE_KEYS, LIVE_PUBLISHABLE_KEYS, ApiKey, TooManyKeysError
from app.domain.publishable_keys import Publishable
from app.domain.users import UnknownUserError
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.access_builders import a_key, a_user, created, deleted, updated, user_id
from tests.support.builders import NOW
from tests.support.history_backends import HistoryBackend, SqlHistory

NOT_IDS = ("", "\x00", "0000000001\x00", "\ud800", "ñ", "no such key", "x" * 100_000)


@pytest.fixture
async def keys(history: HistoryBackend) -> ApiKeys:
    """Two users without keys."""
    for number in (1, 2):
        await history.users().add(a_user(number), created(a_user(number)))
    return history.api_keys()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def test_a_key_comes_back_with_every_field_and_its_owner(keys: ApiKeys):
    plain = a_key(1)
    full = replace(
        a_key(2, name="CI \U0001f3ad", at=later(0.000001), expires_at=later(10**9)),
        revoked_at=later(0.5),
        last_used_at=later(0.25),
    )
    await keys.add(plain, NOW)
    await keys.add(full, NOW)

    assert await keys.find(plain.key_id) == OwnedKey(plain, a_user(1))
    assert await keys.find(full.key_id) == OwnedKey(full, a_user(1))
    assert await keys.of_user(user_id(1)) == [full, plain]
    assert [await keys.find(text) for text in (*NOT_IDS, a_key(3).key_id)] == [None] * (len(NOT_IDS) + 1)


async def test_the_letters_of_a_keys_id_count(keys: ApiKeys):
    upper, lower = replace(a_key(1), key_id="Abcdefghij"), replace(a_key(2), key_id="abcdefghij")
    await keys.add(upper, NOW)

    assert await keys.find("abcdefghij") is None
    await keys.add(lower, NOW)
    assert await keys.find("Abcdefghij") == OwnedKey(upper, a_user(1))


async def test_a_key_shows_its_owner_as_it_is_now(history: HistoryBackend, keys: ApiKeys):
    await keys.add(a_key(1), NOW)
    after = a_user(1).changed(NOW, is_active=False, role=Role.ADMIN)
    await history.users().save(a_user(1), after, updated(a_user(1), after))

    assert await keys.find(a_key(1).key_id) == OwnedKey(a_key(1), after)


async def test_keys_are_listed_newest_first_dead_ones_too_each_users_its_own(keys: ApiKeys):
    for key in (a_key(1), a_key(3), a_key(2, at=later(1), expires_at=later(2)), a_key(4, of=user_id(2))):
        await keys.add(key, NOW)
        await keys.revoke(user_id(1), key.key_id, NOW)

    assert [key.key_id for key in await keys.of_user(user_id(1))] == [a_key(n).key_id for n in (2, 3, 1)]
    assert [key.key_id for key in await keys.of_user(user_id(2))] == [a_key(4).key_id]
    assert await keys.of_user(user_id(3)) == []


async def test_a_user_has_two_live_keys_at_the_most(keys: ApiKeys):
    await keys.add(a_key(1), NOW)
    await keys.add(a_key(2, expires_at=later(60)), NOW)
    await keys.add(a_key(9, of=user_id(2)), NOW)

    with pytest.raises(TooManyKeysError):
        await keys.add(a_key(3), later(59.999999))
    await keys.add(a_key(3), later(60))
    with pytest.raises(TooManyKeysError):
        await keys.add(a_key(4), later(61))
    await keys.revoke(user_id(1), a_key(1).key_id, later(61))
    await keys.add(a_key(4), later(61))

    assert [key.key_id for key in await keys.of_user(user_id(1))] == [a_key(n).key_id for n in (4, 3, 2, 1)]


async def test_who_is_unknown_inactive_or_deleted_gets_no_key(history: HistoryBackend, keys: ApiKeys):
    inactive, gone = a_user(1).changed(NOW, is_active=False), a_user(2).deleted(NOW)
    await history.users().save(a_user(1), inactive, updated(a_user(1), inactive))
    await history.users().save(a_user(2), gone, deleted(gone))
    version = await keys.version()

    for number in (1, 2, 3):
        with pytest.raises(UnknownUserError):
            await keys.add(a_key(1, of=user_id(number)), NOW)

    assert await keys.find(a_key(1).key_id) is None
    assert await keys.version() == version


async def test_of_many_who_add_at_once_two_do(history: HistoryBackend, keys: ApiKeys):
    done = await asyncio.gather(
        *(history.api_keys().add(a_key(number), NOW) for number in range(8)), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in done) == ["NoneType"] * 2 + ["TooManyKeysError"] * 6
    assert len(await keys.of_user(user_id(1))) == 2


async def test_a_key_that_is_added_while_its_user_is_deleted_is_refused_or_revoked(
    history: HistoryBackend, keys: ApiKeys
):
    for round_ in range(10):
        user = a_user(100 + round_)
        await history.users().add(user, created(user))
        gone = user.deleted(later(1))
        key = a_key(round_, of=user.user_id)

        await asyncio.gather(
            history.users().save(user, gone, deleted(gone)), keys.add(key, NOW), return_exceptions=True
        )

        assert all(key.revoked_at == later(1) for key in await keys.of_user(user.user_id))


async def test_a_key_is_revoked_once_by_who_has_it(keys: ApiKeys):
    await keys.add(a_key(1), NOW)
    before = await keys.version()

    assert not await keys.revoke(user_id(2), a_key(1).key_id, NOW)
    assert not await keys.revoke(user_id(1), a_key(2).key_id, NOW)
    assert [await keys.revoke(user_id(1), text, NOW) for text in NOT_IDS] == [False] * len(NOT_IDS)
    assert await keys.version() == before
    assert await keys.revoke(user_id(1), a_key(1).key_id, later(1))
    assert await keys.version() == before + 1
    assert await keys.revoke(user_id(1), a_key(1).key_id, later(2))

    assert await keys.of_user(user_id(1)) == [replace(a_key(1), revoked_at=later(1))]


async def test_the_last_use_of_many_keys_is_noted_at_once_and_never_set_back(keys: ApiKeys):
    first, second, last = a_key(1), a_key(2), a_key(2000, of=user_id(2))
    for key in (first, second, last):
        await keys.add(key, NOW)
    version = await keys.version()

    await keys.note_use({a_key(number).key_id: later(number) for number in range(2500)})
    await keys.note_use({first.key_id: later(0.999999), last.key_id: later(2000.000001), "unknown": NOW, "\x00": NOW})
    await keys.note_use({})

    found = [*await keys.of_user(user_id(1)), *await keys.of_user(user_id(2))]
    assert [key.last_used_at for key in found] == [later(2), later(1), later(2000.000001)]
    assert await keys.version() == version


async def test_many_may_note_and_delete_the_same_keys_at_once(history: HistoryBackend, keys: ApiKeys):
    ids = [a_key(number).key_id for number in (1, 2)]
    for number in (1, 2):
        await keys.add(a_key(number), NOW)
    gone = a_user(1).deleted(later(60))

    await asyncio.gather(
        *(history.api_keys().note_use({key_id: later(n) for key_id in ids[:: 1 if n % 2 else -1]}) for n in range(12)),
        history.users().save(a_user(1), gone, deleted(gone)),
    )

    found = await keys.of_user(user_id(1))
    assert [(key.last_used_at, key.revoked_at) for key in found] == [(later(11), later(60))] * 2


async def test_each_key_added_raises_the_version(keys: ApiKeys):
    before = await keys.version()

    await keys.add(a_key(1), NOW)
    await keys.add(a_key(2), NOW)
    with pytest.raises(TooManyKeysError):
        await keys.add(a_key(3), NOW)

    assert await keys.version() == before + 2


async def test_memory_that_is_away_says_so():
    store = AccessStore()
    store.unavailable = "away"

    for attempt in each_method(MemoryApiKeys(store)):
        with pytest.raises(HistoryUnavailableError, match="away"):
            await attempt


async def test_a_database_without_our_tables_says_what_to_do(bare_history: SqlHistory):
    for attempt in each_method(bare_history.api_keys()):
        with pytest.raises(HistoryUnavailableError, match="marquee migrate"):
            await attempt


def each_method(keys: ApiKeys) -> Iterator[Awaitable[object]]:
    yield keys.add(a_key(), NOW)
    yield keys.of_user(user_id(1))
    yield keys.find(a_key().key_id)
    yield keys.good(NOW, 10)
    yield keys.revoke(user_id(1), a_key().key_id, NOW)
    yield keys.note_use({a_key().key_id: NOW})
    yield keys.origins(NOW)
    yield keys.version()


async def test_good_keys_are_the_live_ones_of_active_users_and_of_too_many_those_used_last(
    history: HistoryBackend, keys: ApiKeys
):
    texts = [a_key(number).key_id for number in range(1, 5)]
    for key in (a_key(1), a_key(2), a_key(3, of=user_id(2)), a_key(4, of=user_id(2), expires_at=later(1))):
        await keys.add(key, NOW)
    await keys.note_use({texts[0]: later(60)})

    assert set(await keys.good(NOW, 10)) == set(texts)
    assert set(await keys.good(later(1), 10)) == set(texts[:3])
    assert await keys.good(NOW, 1) == {texts[0]: OwnedKey(replace(a_key(1), last_used_at=later(60)), a_user(1))}
    assert (await keys.good(NOW, 10)).get("unknown") is None

    await keys.revoke(user_id(1), texts[1], NOW)
    off = a_user(2).changed(NOW, is_active=False)
    await history.users().save(a_user(2), off, updated(a_user(2), off))
    assert list(await keys.good(NOW, 10)) == texts[:1]


async def test_what_a_publishable_key_may_do_comes_back_with_it(keys: ApiKeys):
    shop = replace(a_key(1), publishable=Publishable.of(["https://b.example", "https://a.example"], ["view", "buy"]))
    any_ = replace(a_key(2), publishable=Publishable.of(["*"]))
    for key in (shop, any_):
        await keys.add(key, NOW)

    assert [(await keys.find(key.key_id)) for key in (shop, any_)] == [
        OwnedKey(shop, a_user(1)),
        OwnedKey(any_, a_user(1)),
    ]
    assert (await keys.good(NOW, 10))[shop.key_id].key == shop


async def test_publishable_keys_are_counted_by_themselves(keys: ApiKeys):
    may = Publishable.of(["*"])
    for number in range(1, LIVE_KEYS + 1):
        await keys.add(a_key(number), NOW)
    for number in range(11, LIVE_PUBLISHABLE_KEYS + 11):
        await keys.add(replace(a_key(number), publishable=may), NOW)

    with pytest.raises(TooManyKeysError, match="2 live"):
        await keys.add(a_key(50), NOW)
    with pytest.raises(TooManyKeysError, match="20 live"):
        await keys.add(replace(a_key(50), publishable=may), NOW)


async def test_origins_are_those_of_good_publishable_keys_and_last_as_long_as_one_of_them(
    history: HistoryBackend, keys: ApiKeys
):
    def publishable(number: int, *origins: str, of: int = 1, until: float | None = None) -> ApiKey:
        expires_at = None if until is None else later(until)
        return replace(a_key(number, of=user_id(of), expires_at=expires_at), publishable=Publishable.of(origins))

    a, b, c = (f"https://{letter}.example" for letter in "abc")
    await keys.add(a_key(9), NOW)
    for key in (
        publishable(1, a, until=60),
        publishable(2, a, b, until=90),
        publishable(3, b),
        publishable(4, c, of=2),
        publishable(5, b, until=30),
    ):
        await keys.add(key, NOW)

    assert await keys.origins(NOW) == {a: later(90), b: None, c: None}
    await keys.revoke(user_id(1), a_key(3).key_id, NOW)
    off = a_user(2).changed(NOW, is_active=False)
    await history.users().save(a_user(2), off, updated(a_user(2), off))
    assert await keys.origins(later(60)) == {a: later(90), b: later(90)}
    assert await keys.origins(later(90)) == {}
