"""The ports of users and keys, kept in the history's database.

All methods raise HistoryUnavailableError when the database does not serve.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.access import Principal
from app.domain.api_keys import ApiKey
from app.domain.domain_events import UserFact
from app.domain.users import User, UserCounts, UserId


class UserMovedError(Exception):
    """Somebody else has changed the user meanwhile: look again."""

    def __init__(self) -> None:
        """Say it to whoever asked for the change."""
        super().__init__("somebody else is changing this user: look at it again, then try again")


class Users(Protocol):
    """Where users are kept. Each change and the domain event that tells of it are one transaction (the outbox)."""

    @abstractmethod
    async def add(self, user: User, told: UserFact) -> None:
        """Add a new user.

        Raises:
            UsernameTakenError: an active user has the name, case not counted (Unicode case folding).
            EmailTakenError: likewise.
        """

    @abstractmethod
    async def save(self, before: User, after: User, told: UserFact) -> None:
        """Replace `before` by `after`. When `after` is deleted, all its keys are revoked in the same transaction.

        Raises:
            UserMovedError: the user is not at `before.version` any more; nothing was written.
            UsernameTakenError: as in `add`, of an `after` that is active.
            EmailTakenError: likewise.
        """

    @abstractmethod
    async def find(self, user_id: UserId) -> User | None:
        """Find one, active or not."""

    @abstractmethod
    async def named(self, username: str) -> User | None:
        """Find the active user of that name, case not counted."""

    @abstractmethod
    async def page(self, limit: int, after: UserId | None, *, is_active: bool | None) -> Sequence[User]:
        """List up to `limit` users by id (the order in which they were created), those after `after`."""

    @abstractmethod
    async def counts(self) -> UserCounts:
        """Count them, at no cost worth speaking of."""


@dataclass(frozen=True, slots=True)
class OwnedKey:
    """A key and whose it is, at one instant."""

    key: ApiKey
    owner: User


class ApiKeys(Protocol):
    """Where keys are kept."""

    @abstractmethod
    async def add(self, key: ApiKey, now: datetime) -> None:
        """Add a key. Two processes that add at the same time do not pass the limit together.

        Raises:
            UnknownUserError: there is no such user, or it is not active.
            TooManyKeysError: it has as many keys of this kind, secret or not, that are live `now` as anybody may.
        """

    @abstractmethod
    async def of_user(self, user_id: UserId) -> Sequence[ApiKey]:
        """List all keys of a user, newest first, dead ones too; empty for one without."""

    @abstractmethod
    async def find(self, key_id: str) -> OwnedKey | None:
        """Find a key by its public part, live or not."""

    @abstractmethod
    async def good(self, now: datetime, limit: int) -> Mapping[str, OwnedKey]:
        """Find up to `limit` keys that open something `now`: live ones of active users, by their public parts.

        Of more, those that were used last; keys that were never used count from when they were made. An entry may be
        made anew each time it is asked for.
        """

    @abstractmethod
    async def origins(self, now: datetime) -> Mapping[str, datetime | None]:
        """Find the origins of all publishable keys of `good`, and until when one of those is live; None: for ever."""

    @abstractmethod
    async def revoke(self, user_id: UserId, key_id: str, at: datetime) -> bool:
        """Revoke a key; False when the user has none such. Of one that is revoked already the first time stays."""

    @abstractmethod
    async def note_use(self, used: Mapping[str, datetime]) -> None:
        """Note when keys were used last, by their public parts; never set back."""

    @abstractmethod
    async def version(self) -> int:
        """Say a number that grows in each transaction that changes a user or adds or revokes a key.

        Whoever remembers what a key is good for compares it. Neither this nor `good` ever waits behind what others
        ask: an answer that does not come is the database's.
        """


class InvalidTokenError(Exception):
    """A token is forged, expired, meant for others or not readable; the message says which, without the token."""


class TokensUnavailableError(Exception):
    """The keys of the tokens' issuer cannot be had now, and none are remembered; the message says why."""


class Tokens(Protocol):
    """The tokens of another issuer (JWT, RFC 9068)."""

    @abstractmethod
    async def verify(self, token: str) -> Principal:
        """Say whose a token is; its scopes decide the role.

        Raises:
            InvalidTokenError: it is not good.
            TokensUnavailableError: nobody can tell now.
        """
