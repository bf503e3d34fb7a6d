"""Who is let in by a key or a token, what is remembered of it, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.application.authenticate import LONGEST_CREDENTIAL, NOTE_USE_EVERY, UNKNOWN_FOR, Authenticate
from app.application.ports.system import HistoryUnavailableError
from app.application.ports.users import InvalidTokenError, OwnedKey, Tokens
from app.domain.access import Principal, Role, UnauthenticatedError
from app.domain.api_keys import ALPHABET, PUBLISHABLE_PREFIX, ApiKey, compose, digest_of
from app.domain.publishable_keys import Publishable
from app.domain.stream_tokens import make_token
from app.domain.users import User
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock

ANA = UUID(int=1)
SECRET = "S" * 32
KEY = compose("0123456789", SECRET)
FORGED = compose("0123456789", "F" * 32)
UNKNOWN = compose("9876543210", SECRET)


class CountingKeys(MemoryApiKeys):
    """Keys that count how often they are asked for, and can be made to wait."""

    def __init__(self, store: AccessStore) -> None:
        super().__init__(store)
        self.found: list[str] = []
        self.looks = self.read_ahead = 0
        self.noted: list[Mapping[str, datetime]] = []
        self.open, self.answering = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.answering.set()

    async def find(self, key_id: str) -> OwnedKey | None:
        self.found.append(key_id)
        await self.open.wait()
        return await super().find(key_id)

    async def good(self, now: datetime, limit: int) -> Mapping[str, OwnedKey]:
        self.read_ahead += 1
        await self.open.wait()
        return await super().good(now, limit)

    async def version(self) -> int:
        self.looks += 1
        await self.answering.wait()
        return await super().version()

    async def note_use(self, used: Mapping[str, datetime]) -> None:
        await super().note_use(used)
        self.noted.append(used)


class OneToken(Tokens):
    async def verify(self, token: str) -> Principal:
        if token != "a.good.token":
            raise InvalidTokenError("this token has expired")
        return Principal("robot", Role.WRITER, "token:robot")


class World:
    """A user with a key, and two clocks."""

    def __init__(self, **values: Any) -> None:
        self.store = AccessStore()
        self.keys = CountingKeys(self.store)
        self.clock = FixedClock()
        self.seconds = 1000.0
        given: dict[str, Any] = {"grace": 60.0, "now": lambda: self.seconds, "pause": 0.001} | values
        self.authenticate = Authenticate(self.keys, self.clock, **given)
        self.change_user(User(user_id=ANA, username="ana", email="ana@x.org", created_at=NOW, updated_at=NOW))
        self.add_key(KEY)

    def add_key(self, text: str, **values: Any) -> None:
        key = ApiKey(key_id=text[4:14], user_id=ANA, name="", digest=digest_of(text), created_at=NOW, **values)
        self.store.keys[key.key_id] = key
        self.store.version += 1

    def change_key(self, **values: Any) -> None:
        self.store.keys[KEY[4:14]] = replace(self.store.keys[KEY[4:14]], **values)
        self.store.version += 1

    def change_user(self, user: User) -> None:
        self.store.users[ANA] = user
        self.store.version += 1

    async def refusal(self, credential: str = KEY) -> str:
        with pytest.raises(UnauthenticatedError) as refused:
            await self.authenticate(credential)
        assert self.authenticate.remembered(credential) is None
        assert not credential or credential not in str(refused.value)
        return str(refused.value)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[asyncio.Task[None]]:
        watch = asyncio.create_task(self.authenticate.watch())
        await asyncio.sleep(0)
        try:
            yield watch
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def look(self) -> None:
        """Wait until the database was looked at, and what it said was taken in."""
        seen = self.keys.looks
        while self.keys.looks < seen + 2:  # noqa: ASYNC110 - a test that waits for what runs beside it
            await asyncio.sleep(0.001)

    async def look_until_reading(self) -> None:
        """Wait until a change was noticed, and the key is being read again."""
        seen = self.keys.read_ahead
        while self.keys.read_ahead == seen:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)


async def test_a_good_key_says_who_it_is() -> None:
    world = World()

    assert await world.authenticate(KEY) == Principal("ana", Role.READER, "key:0123456789", ANA)


async def test_what_is_no_key_is_refused_without_asking_the_database() -> None:
    world = World()
    cut_off, mistyped = KEY[:-1], KEY[:-7] + ("T" if KEY[-7] != "T" else "U") + KEY[-6:]

    assert "checksum" in await world.refusal(cut_off)
    assert "checksum" in await world.refusal(mistyped)
    assert "begins with mqk_" in await world.refusal("hello")
    assert "begins with mqk_" in await world.refusal("")
    assert "at most 8,192" in await world.refusal("m" * (LONGEST_CREDENTIAL + 1))
    assert world.keys.found == []


@settings(max_examples=30)
@given(st.text(max_size=100))
def test_no_text_is_taken_for_a_key_and_none_breaks_anything(text: str) -> None:
    world = World(tokens=OneToken())

    with pytest.raises(UnauthenticatedError):
        asyncio.run(world.authenticate(text))

    assert world.authenticate.remembered(text) is None


@settings(max_examples=30)
@given(st.text(ALPHABET, min_size=32, max_size=32))
def test_only_the_whole_key_is_good(secret: str) -> None:
    world = World()

    async def ask() -> None:
        async with world.watched():
            await world.authenticate(KEY)
            await world.refusal(compose("0123456789", secret if secret != SECRET else "T" * 32))

    asyncio.run(ask())


async def test_a_forged_key_and_an_unknown_one_are_refused_with_the_same_words() -> None:
    world = World()

    assert await world.refusal(FORGED) == await world.refusal(UNKNOWN)


async def test_dead_keys_are_refused_and_say_why() -> None:
    world = World()
    world.change_key(revoked_at=NOW)
    revoked = await world.refusal()
    world.change_key(revoked_at=None, expires_at=NOW)
    expired = await world.refusal()
    world.change_key(expires_at=None)
    world.change_user(replace(world.store.users[ANA], is_active=False))
    inactive = await world.refusal()

    assert (revoked, expired) == ("this key was revoked", "this key has expired")
    assert inactive == "the user of this key is not active any more"


async def test_a_key_that_is_good_is_known_before_it_is_used_first() -> None:
    world = World()

    async with world.watched():
        await world.look()
        at_once = world.authenticate.remembered(KEY)
        asked = await world.authenticate(KEY)

    assert at_once == asked is not None
    assert world.keys.found == []


async def test_keys_that_open_nothing_are_not_read_ahead() -> None:
    world = World()
    world.change_key(expires_at=NOW)

    async with world.watched():
        await world.look()

        assert await world.refusal() == "this key has expired"
    assert world.keys.found == ["0123456789"]


async def test_nothing_is_remembered_while_nobody_watches() -> None:
    world = World()

    await world.authenticate(KEY)
    await world.authenticate(KEY)

    assert world.authenticate.remembered(KEY) is None
    assert len(world.keys.found) == 2


async def test_a_key_expires_while_it_is_remembered() -> None:
    world = World()
    world.change_key(expires_at=NOW + timedelta(seconds=10))

    async with world.watched():
        await world.authenticate(KEY)
        world.clock.move(10)
        refused = await world.refusal()

    assert refused == "this key has expired"


async def test_a_revoked_key_is_refused_after_the_next_look() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        world.change_key(revoked_at=NOW)
        await world.look()

        assert await world.refusal() == "this key was revoked"


async def test_a_key_whose_row_is_gone_is_refused_after_the_next_look() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        del world.store.keys["0123456789"]
        world.store.version += 1
        await world.look_until_reading()

        assert "no key" in await world.refusal()


async def test_a_changed_role_counts_after_the_next_look_and_costs_the_next_request_nothing() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        world.change_user(replace(world.store.users[ANA], role=Role.ADMIN))
        await world.look()
        known = world.authenticate.remembered(KEY)

    assert known is not None
    assert known.role is Role.ADMIN


async def test_between_the_look_and_the_reading_an_old_answer_is_not_believed() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        world.keys.open.clear()
        world.change_key(revoked_at=NOW)
        await world.look_until_reading()
        known = world.authenticate.remembered(KEY)
        world.keys.open.set()

        assert known is None
        assert await world.refusal() == "this key was revoked"


async def test_of_many_keys_those_used_last_are_read_ahead_and_the_others_when_they_come() -> None:
    world = World(most=500)
    texts = [compose(f"{number:010}", SECRET) for number in range(1000, 1502)]
    for text in texts:
        world.add_key(text)

    async with world.watched():
        for text in texts:
            await world.authenticate(text)
        world.change_user(replace(world.store.users[ANA], role=Role.ADMIN))
        await world.look()
        await world.look()
        known = [world.authenticate.remembered(text) is not None for text in texts]
        late = await world.authenticate(texts[0])

    assert known == [False] * 2 + [True] * 500
    assert late.role is Role.ADMIN


async def test_what_was_read_before_a_change_does_not_replace_what_was_read_after_it() -> None:
    class SlowToFind(CountingKeys):
        found_by = asyncio.Event()

        async def find(self, key_id: str) -> OwnedKey | None:
            owned = await super().find(key_id)
            await self.found_by.wait()
            return owned

    world = World()
    world.keys = world.authenticate.keys = SlowToFind(world.store)
    early = asyncio.create_task(world.authenticate(KEY))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.change_user(replace(world.store.users[ANA], role=Role.ADMIN))

    async with world.watched():
        await world.look()
        world.keys.found_by.set()
        await early
        known = world.authenticate.remembered(KEY)

    assert known is not None
    assert known.role is Role.ADMIN


async def test_the_memory_is_bounded_and_forgets_what_was_longest_unused() -> None:
    world = World(most=2)
    other, third, *newest = (compose(letter * 10, SECRET) for letter in "abcd")
    for text in (other, third, *newest):
        world.add_key(text)

    async with world.watched():
        for text in (KEY, other, KEY, third):
            await world.authenticate(text)
        known = [world.authenticate.remembered(text) is not None for text in (KEY, other, third, *newest)]

    assert known == [True, False, True, True, True]


async def test_while_the_database_is_away_remembered_keys_are_good_for_the_grace() -> None:
    world = World(grace=60.0)

    async with world.watched():
        await world.authenticate(KEY)
        await world.look()
        world.store.unavailable = "away"
        world.seconds += 60
        in_time = await world.authenticate(KEY)
        world.seconds += 1

        assert in_time.name == "ana"
        assert world.authenticate.remembered(KEY) is None
        with pytest.raises(HistoryUnavailableError):
            await world.authenticate(KEY)


async def test_while_the_database_is_there_no_grace_runs_out() -> None:
    world = World(grace=0.0)

    async with world.watched():
        await world.authenticate(KEY)
        for _ in range(3):
            world.seconds += 100
            await world.look()

            assert world.authenticate.remembered(KEY) is not None
    assert len(world.keys.found) <= 2


async def test_a_database_that_hangs_is_as_good_as_away() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        await world.look()
        world.keys.answering.clear()
        await asyncio.sleep(0.01)
        world.seconds += 2
        known = world.authenticate.remembered(KEY)
        world.seconds += 60
        late = world.authenticate.remembered(KEY)
        world.keys.answering.set()

    assert known is not None
    assert late is None


async def test_from_believing_to_being_away_there_is_no_gap() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        await world.look()
        world.keys.answering.clear()
        world.seconds += 0.25  # the pause
        await asyncio.sleep(0.01)
        known = []
        for _ in range(40):
            world.seconds += 0.05
            known.append(world.authenticate.remembered(KEY) is not None)
        world.keys.answering.set()

    assert all(known)


async def test_a_key_that_is_known_to_open_nothing_is_told_from_one_of_which_nobody_can_tell() -> None:
    world = World()

    before = world.authenticate.refuses(UNKNOWN)
    async with world.watched():
        await world.look()
        good, unknown = world.authenticate.refuses(KEY), world.authenticate.refuses(UNKNOWN)
        world.change_key(revoked_at=NOW)
        await world.look()
        revoked = world.authenticate.refuses(KEY)

    assert (before, good, unknown, revoked) == (False, False, True, True)


async def test_a_process_that_was_stopped_believes_nothing_until_it_has_asked() -> None:
    world = World(pause=3600)

    async with world.watched():
        await world.authenticate(KEY)
        world.change_key(revoked_at=NOW)
        world.seconds += 10

        assert await world.refusal() == "this key was revoked"


async def test_what_changed_before_the_database_went_away_is_not_believed_any_more() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        await world.look()
        world.keys.open.clear()
        world.change_key(revoked_at=NOW)
        await world.look_until_reading()
        world.store.unavailable = "away"
        world.keys.open.set()
        await asyncio.sleep(0.01)

        with pytest.raises(HistoryUnavailableError):
            await world.authenticate(KEY)


async def test_an_unknown_key_while_the_database_is_away_is_neither_good_nor_bad() -> None:
    world = World()
    world.store.unavailable = "away"

    with pytest.raises(HistoryUnavailableError):
        await world.authenticate(KEY)


async def test_an_unknown_key_is_looked_up_once_in_some_seconds() -> None:
    world = World()

    for _ in range(3):
        await world.refusal(UNKNOWN)
    world.seconds += UNKNOWN_FOR
    await world.refusal(UNKNOWN)

    assert len(world.keys.found) == 2


async def test_the_memory_of_unknown_keys_is_bounded() -> None:
    world = World(most=2)
    forged = [compose(letter * 10, SECRET) for letter in "abc"]

    for text in forged:
        await world.refusal(text)
    await world.refusal(forged[2])
    await world.refusal(forged[0])

    assert world.keys.found == [letter * 10 for letter in "abca"]


async def test_a_forged_key_of_a_known_name_costs_no_look_up() -> None:
    world = World()

    async with world.watched():
        await world.refusal(FORGED)
        await world.refusal(FORGED)

    assert len(world.keys.found) <= 1


async def test_requests_of_one_moment_share_one_look_up() -> None:
    world = World()

    who = await asyncio.gather(*(world.authenticate(KEY) for _ in range(10)))

    assert {principal.name for principal in who} == {"ana"}
    assert len(world.keys.found) == 1


async def test_whoever_leaves_during_a_look_up_does_not_spoil_it_for_the_others() -> None:
    world = World()
    world.keys.open.clear()
    leaving, staying = (asyncio.create_task(world.authenticate(KEY)) for _ in range(2))
    await asyncio.sleep(0.001)

    leaving.cancel()
    world.keys.open.set()

    assert (await staying).name == "ana"


async def test_nobody_hears_of_a_look_up_that_failed_after_all_have_left() -> None:
    world = World()
    world.keys.open.clear()
    leaving = asyncio.create_task(world.authenticate(KEY))
    await asyncio.sleep(0.001)

    leaving.cancel()
    world.store.unavailable = "away"
    world.keys.open.set()
    await asyncio.sleep(0.001)

    assert leaving.cancelled()


async def test_a_look_up_that_ends_with_the_process_is_nobodys_trouble() -> None:
    world = World()
    world.keys.open.clear()
    waiting = asyncio.create_task(world.authenticate(KEY))
    await asyncio.sleep(0.001)

    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_last_use_is_noted_once_a_minute_and_at_the_end() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        await world.look()
        early = list(world.keys.noted)
        world.seconds += NOTE_USE_EVERY
        await world.look()
        first = list(world.keys.noted)
        world.clock.move(90)
        await world.authenticate(KEY)

    assert (early, first) == ([], [{"0123456789": NOW}])
    assert world.store.keys["0123456789"].last_used_at == NOW + timedelta(seconds=90)
    assert len(world.keys.noted) == 2


async def test_a_use_that_could_not_be_noted_is_noted_the_next_time() -> None:
    world = World()

    async with world.watched():
        await world.authenticate(KEY)
        await world.look()
        world.store.unavailable = "away"
        world.seconds += NOTE_USE_EVERY
        await world.look()
        world.store.unavailable = None
        world.seconds += NOTE_USE_EVERY
        await world.look()

    assert world.store.keys["0123456789"].last_used_at == NOW
    assert len(world.keys.noted) == 1


async def test_while_uses_cannot_be_noted_yet_a_revoked_key_is_refused_all_the_same() -> None:
    class SlowToNote(CountingKeys):
        free = asyncio.Event()

        async def note_use(self, used: Mapping[str, datetime]) -> None:
            await self.free.wait()
            await super().note_use(used)

    world = World()
    world.keys = world.authenticate.keys = SlowToNote(world.store)

    async with world.watched():
        await world.authenticate(KEY)
        world.seconds += NOTE_USE_EVERY
        async with asyncio.timeout(1):
            await world.look()
            world.change_key(revoked_at=NOW)
            await world.look()
        refused = await world.refusal()
        world.keys.free.set()

    assert refused == "this key was revoked"


async def test_the_end_does_not_wait_for_a_database_that_hangs() -> None:
    class HangingKeys(CountingKeys):
        async def note_use(self, used: Mapping[str, datetime]) -> None:
            await super().note_use(used)
            raise TimeoutError

    world = World()
    world.authenticate.keys = HangingKeys(world.store)

    async with world.watched() as watch:
        await world.authenticate(KEY)

    assert watch.cancelled()


async def test_tokens_are_asked_about_what_looks_like_one() -> None:
    world = World(tokens=OneToken())

    good = await world.authenticate("a.good.token")

    assert good == Principal("robot", Role.WRITER, "token:robot")
    assert await world.refusal("a.bad.token") == "this token has expired"
    assert "neither" in await world.refusal("one.dot")


async def test_without_an_issuer_no_token_is_good() -> None:
    assert "begins with mqk_" in await World().refusal("a.good.token")


async def test_origins_of_publishable_keys_are_expected_a_moment_later_and_while_one_is_good() -> None:
    world = World()
    shop, other = "https://shop.example", "https://other.example"
    text = compose("2222222222", SECRET, PUBLISHABLE_PREFIX)
    async with world.watched():
        await world.look()
        before = world.authenticate.expects(shop)
        world.add_key(text, publishable=Publishable.of([shop]), expires_at=NOW + timedelta(seconds=60))
        await world.look()
        principal = await world.authenticate(text)
        during = [world.authenticate.expects(origin) for origin in (shop, other, "*")]
        world.clock.move(60)
        after = world.authenticate.expects(shop)

    assert principal.publishable == Publishable.of([shop])
    assert (before, during, after) == (False, [True, False, False], False)


async def test_what_began_with_a_stream_token_goes_on_while_its_key_is_good() -> None:
    world = World()
    token = make_token(world.store.keys[KEY[4:14]], NOW + timedelta(seconds=60))
    async with world.watched():
        await world.look()
        known = [world.authenticate.remembered(token) is not None]
        world.clock.move(61)
        known += [world.authenticate.remembered(token, began=began) is not None for began in (False, True)]
        world.change_key(revoked_at=NOW)
        await world.look()
        known.append(world.authenticate.remembered(token, began=True) is not None)

    assert known == [True, False, True, False]
