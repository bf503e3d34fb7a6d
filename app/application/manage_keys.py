"""Manage keys: made and shown once, listed without their secret, revoked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.application.manage_users import FindUser
from app.application.ports.system import Clock
from app.application.ports.users import ApiKeys, Users
from app.domain.access import Area
from app.domain.api_keys import (
    KEY_ID_LENGTH,
    LONGEST_KEY_NAME,
    PREFIX,
    PUBLISHABLE_PREFIX,
    SECRET_LENGTH,
    ApiKey,
    UnknownKeyError,
    compose,
    digest_of,
)
from app.domain.publishable_keys import InvalidKeyError, Publishable
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
    users: Users

    async def __call__(
        self,
        user_id: UserId,
        name: str,
        expires_at: datetime | None = None,
        publishable: Publishable | None = None,
    ) -> NewKey:
        """Make it; only its digest is kept. A publishable one is made when it is said what it may do.

        Raises:
            InvalidKeyError: it has expired already, its name is too long, or its user may not post activities.
            UnknownUserError: there is no such active user.
            TooManyKeysError: the user has two live ones.
            HistoryUnavailableError: as in every use case here.
        """
        now = self.clock.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidKeyError("expires_at", "lies in the past")
        if len(name) > LONGEST_KEY_NAME or not name.isprintable():
            raise InvalidKeyError("name", f"up to {LONGEST_KEY_NAME} characters that can be shown")
        if publishable:
            await self._check_role(user_id)
        key_id = self.random_text(KEY_ID_LENGTH)
        text = compose(key_id, self.random_text(SECRET_LENGTH), PUBLISHABLE_PREFIX if publishable else PREFIX)
        key = ApiKey(
            key_id=key_id,
            user_id=user_id,
            name=name,
            digest=digest_of(text),
            created_at=now,
            expires_at=expires_at,
            publishable=publishable,
        )
        await self.keys.add(key, now)
        return NewKey(key, text)

    async def _check_role(self, user_id: UserId) -> None:
        user = await FindUser(self.users)(user_id)
        needed = Area.INGEST.needs
        if not user.role.covers(needed):
            found = f"the role of {user.username} is {user.role}, and nobody could post with the key"
            raise InvalidKeyError("publishable", f"{found}: give the user the role {needed}")


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
