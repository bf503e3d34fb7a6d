"""Users, keys and the log of what became of users, in memory: the reference, on one store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.system import HistoryUnavailableError
from app.application.ports.users import ApiKeys, OwnedKey, UserMovedError, Users
from app.domain.api_keys import ApiKey, TooManyKeysError
from app.domain.domain_events import UserCreated, UserDeleted, UserFact, UserUpdated
from app.domain.users import EmailTakenError, UnknownUserError, User, UserCounts, UserId, UsernameTakenError, folded


class AccessStore:
    """One process's stand-in for the tables of users, keys and their outbox."""

    def __init__(self) -> None:
        self.unavailable: str | None = None
        """Set it to a reason, and every port on this store raises HistoryUnavailableError with it."""
        self.users: dict[UserId, User] = {}
        self.keys: dict[str, ApiKey] = {}
        self.told: list[UserFact] = []
        self.version = 0

    def check(self) -> None:
        """Refuse to serve while unavailable.

        Raises:
            HistoryUnavailableError: see `unavailable`.
        """
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)


class MemoryUsers(Users):
    """Users as a dict."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    async def add(self, user: User, told: UserFact) -> None:
        """Check, add, tell; nobody runs between."""
        self._store.check()
        self._write(user, told)

    async def save(self, before: User, after: User, told: UserFact) -> None:
        """Compare, check, replace, tell."""
        self._store.check()
        found = self._store.users.get(before.user_id)
        if found is None or found.version != before.version:
            raise UserMovedError
        self._write(after, told)
        if after.deleted_at is not None:
            for key in self._store.keys.values():
                if key.user_id == after.user_id and key.revoked_at is None:
                    self._store.keys[key.key_id] = replace(key, revoked_at=after.deleted_at)

    def _write(self, user: User, told: UserFact) -> None:
        if user.is_active:
            self._check_unique(user)
        self._store.users[user.user_id] = user
        self._store.told.append(told)
        self._store.version += 1

    def _check_unique(self, user: User) -> None:
        others = [other for other in self._active() if other.user_id != user.user_id]
        if any(folded(other.username) == folded(user.username) for other in others):
            raise UsernameTakenError(user.username)
        if any(folded(other.email) == folded(user.email) for other in others):
            raise EmailTakenError(user.email)

    async def find(self, user_id: UserId) -> User | None:
        """Look it up."""
        self._store.check()
        return self._store.users.get(user_id)

    async def named(self, username: str) -> User | None:
        """Look through all."""
        self._store.check()
        return next((user for user in self._active() if folded(user.username) == folded(username)), None)

    async def page(self, limit: int, after: UserId | None, *, is_active: bool | None) -> Sequence[User]:
        """Sort all."""
        self._store.check()
        found = [
            user
            for user_id, user in sorted(self._store.users.items())
            if (after is None or user_id > after) and is_active in (None, user.is_active)
        ]
        return found[: max(limit, 0)]

    async def counts(self) -> UserCounts:
        """Count them anew."""
        self._store.check()
        users, told = self._store.users.values(), self._store.told
        return UserCounts(
            total=len(users),
            active=sum(user.is_active for user in users),
            deleted=sum(user.deleted_at is not None for user in users),
            created_ever=sum(isinstance(one, UserCreated) for one in told),
            updated_ever=sum(isinstance(one, UserUpdated) for one in told),
            deleted_ever=sum(isinstance(one, UserDeleted) for one in told),
        )

    def _active(self) -> Iterator[User]:
        return (user for user in self._store.users.values() if user.is_active)


class MemoryApiKeys(ApiKeys):
    """Keys as a dict."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    async def add(self, key: ApiKey, now: datetime) -> None:
        """Count, add; nobody runs between."""
        self._store.check()
        owner = self._store.users.get(key.user_id)
        if owner is None or not owner.is_active:
            raise UnknownUserError(key.user_id)
        alike = [other for other in self._of(key.user_id) if (other.publishable is None) == (key.publishable is None)]
        if sum(other.is_live(now) for other in alike) >= key.most_live:
            raise TooManyKeysError(key.most_live)
        self._store.keys[key.key_id] = key
        self._store.version += 1

    async def of_user(self, user_id: UserId) -> Sequence[ApiKey]:
        """Sort them; of two that were made in one instant, by their names."""
        self._store.check()
        return sorted(self._of(user_id), key=lambda key: (key.created_at, key.key_id), reverse=True)

    async def find(self, key_id: str) -> OwnedKey | None:
        """Look both up."""
        self._store.check()
        key = self._store.keys.get(key_id)
        return None if key is None else OwnedKey(key, self._store.users[key.user_id])

    async def good(self, now: datetime, limit: int) -> Mapping[str, OwnedKey]:
        """Look through all."""
        self._store.check()
        owned = [OwnedKey(key, self._store.users[key.user_id]) for key in self._store.keys.values()]
        good = [one for one in owned if one.owner.is_active and one.key.is_live(now)]
        latest = sorted(good, key=lambda one: one.key.last_used_at or one.key.created_at)[-limit:]
        return {one.key.key_id: one for one in latest}

    async def origins(self, now: datetime) -> Mapping[str, datetime | None]:
        """Look through all."""
        until: dict[str, datetime | None] = {}
        for one in (await self.good(now, len(self._store.keys))).values():
            for origin in one.key.publishable.origins if one.key.publishable else ():
                ends = {until.get(origin, one.key.expires_at), one.key.expires_at}
                until[origin] = None if None in ends else max(end for end in ends if end)
        return until

    async def revoke(self, user_id: UserId, key_id: str, at: datetime) -> bool:
        """Note it, unless it is noted already."""
        self._store.check()
        key = self._store.keys.get(key_id)
        if key is None or key.user_id != user_id:
            return False
        if key.revoked_at is None:
            self._store.keys[key_id] = replace(key, revoked_at=at)
            self._store.version += 1
        return True

    async def note_use(self, used: Mapping[str, datetime]) -> None:
        """Keep the later of both; whoever has no such key has none to note it of."""
        self._store.check()
        for key_id, at in used.items():
            key = self._store.keys.get(key_id)
            if key is not None:
                self._store.keys[key_id] = replace(key, last_used_at=max(at, key.last_used_at or at))

    async def version(self) -> int:
        """Say it."""
        self._store.check()
        return self._store.version

    def _of(self, user_id: UserId) -> Iterator[ApiKey]:
        return (key for key in self._store.keys.values() if key.user_id == user_id)


class MemoryUserLog(DomainEventLog):
    """What was told of users; a position is a place in the list."""

    name = "users"

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Cut it out."""
        self._store.check()
        told = self._store.told[after : after + max(limit, 0)]
        return [LoggedFact(position, event) for position, event in enumerate(told, after + 1)]

    async def head(self) -> int:
        """Count them."""
        self._store.check()
        return len(self._store.told)
