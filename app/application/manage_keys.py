"""Manage keys: made and shown once, listed without their secret, revoked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.application.manage_users import FindUser
from app.application.ports.system import Clock
from app.application.ports.users import ApiKeys, Users
from app.domain.api_keys import (
    KEY_ID_LENGTH,
    LONGEST_KEY_NAME,
    SECRET_LENGTH,
    ApiKey,
    InvalidKeyError,
    UnknownKeyError,
    compose,
    digest_of,
)
from app.domain.users import UserId


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only moment at which anybody can see it whole."""

    key: ApiKey
    text: str = field(repr=False)
    """A secret: not in what a log or a traceback shows of this."""


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Make a key for a user."""

    keys: ApiKeys
    clock: Clock
    random_text: Callable[[int], str]
    """Makes so many characters of `api_keys.ALPHABET`, fit for secrets."""

    async def __call__(self, user_id: UserId, name: str, expires_at: datetime | None = None) -> NewKey:
        """Make it; only its digest is kept.

        Raises:
            InvalidKeyError: it has expired already, or its name is too long.
            UnknownUserError: there is no such active user.
            TooManyKeysError: the user has two live ones.
            HistoryUnavailableError: as in every use case here.
        """
        now = self.clock.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidKeyError("expires_at", "lies in the past")
        if len(name) > LONGEST_KEY_NAME or not name.isprintable():
            raise InvalidKeyError("name", f"up to {LONGEST_KEY_NAME} characters that can be shown")
        key_id = self.random_text(KEY_ID_LENGTH)
        text = compose(key_id, self.random_text(SECRET_LENGTH))
        key = ApiKey(
            key_id=key_id, user_id=user_id, name=name, digest=digest_of(text), created_at=now, expires_at=expires_at
        )
        await self.keys.add(key, now)
        return NewKey(key, text)


@dataclass(frozen=True, slots=True)
class ListKeys:
    """List the keys of a user."""

    users: Users
    keys: ApiKeys

    async def __call__(self, user_id: UserId) -> Sequence[ApiKey]:
        """List all, newest first, dead ones too.

        Raises:
            UnknownUserError: there is no such user.
        """
        await FindUser(self.users)(user_id)
        return await self.keys.of_user(user_id)


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Revoke a key: no process takes it any more, a second later."""

    keys: ApiKeys
    clock: Clock

    async def __call__(self, user_id: UserId, key_id: str) -> None:
        """Revoke it; one that is revoked already stays so.

        Raises:
            UnknownKeyError: the user has none such.
        """
        if not await self.keys.revoke(user_id, key_id, self.clock.now()):
            raise UnknownKeyError(key_id)
