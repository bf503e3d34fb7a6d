"""A key in a header becomes a token for the URL of a stream."""

from datetime import timedelta

import pytest

from app.application.authenticate import Authenticate
from app.application.issue_stream_token import IssueStreamToken
from app.domain.access import Principal, Role, UnauthenticatedError
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.access_builders import a_key, a_user, key_text
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock


@pytest.fixture
def store() -> AccessStore:
    made = AccessStore()
    made.users[a_user(1).user_id] = a_user(1)
    made.keys["0000000001"] = a_key(1)
    return made


async def test_a_token_is_as_good_as_its_key_for_a_minute(store: AccessStore):
    clock = FixedClock()
    keys = MemoryApiKeys(store)
    authenticate = Authenticate(keys, clock)
    principal = await authenticate(key_text(1))

    token, expires_at = await IssueStreamToken(keys, clock)(principal)

    assert expires_at == NOW + timedelta(seconds=60)
    assert await authenticate(token) == principal
    clock.move(60)
    with pytest.raises(UnauthenticatedError, match="over: ask for another"):
        await authenticate(token)


async def test_a_token_of_a_revoked_or_changed_key_opens_nothing(store: AccessStore):
    keys, clock = MemoryApiKeys(store), FixedClock()
    authenticate = Authenticate(keys, clock)
    token, _ = await IssueStreamToken(keys, clock)(await authenticate(key_text(1)))

    store.keys["0000000001"] = a_key(1, name="x", expires_at=NOW)
    with pytest.raises(UnauthenticatedError, match="expired"):
        await authenticate(token)
    with pytest.raises(UnauthenticatedError):
        await authenticate(token[:-1] + ("0" if token[-1] != "0" else "1"))


@pytest.mark.parametrize("who", [None, Principal("robot", Role.READER, "token:robot")])
async def test_whoever_has_no_key_gets_no_token(store: AccessStore, who: Principal | None):
    with pytest.raises(UnauthenticatedError, match="made of a key"):
        await IssueStreamToken(MemoryApiKeys(store), FixedClock())(who)
