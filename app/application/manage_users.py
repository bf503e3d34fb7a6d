"""Manage users: each change is told as a domain event, from the transaction that makes it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from app.application.ports.system import Clock
from app.application.ports.users import UserMovedError, Users
from app.domain.access import Role
from app.domain.domain_events import UserCreated, UserDeleted, UserFact, UserUpdated
from app.domain.users import CHANGEABLE, InvalidUserError, UnknownUserError, User, UserId, differences

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class NewUser:
    """What somebody says of a user who is to be."""

    username: str
    email: str
    full_name: str | None = None
    role: Role = Role.READER
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Add a user."""

    users: Users
    clock: Clock
    new_id: Callable[[], UUID]

    async def __call__(self, new: NewUser) -> User:
        """Add it, with an id of our own.

        Raises:
            InvalidUserError: a field breaks a rule.
            UsernameTakenError: an active user has the name.
            EmailTakenError: an active user has the address.
            HistoryUnavailableError: as in every use case here.
        """
        now = self.clock.now()
        user = User(user_id=self.new_id(), **asdict(new), created_at=now, updated_at=now)
        await self.users.add(user, UserCreated(event_id=str(self.new_id()), occurred_at=now, user=user))
        return user


@dataclass(frozen=True, slots=True)
class FindUser:
    """Find a user, active or not."""

    users: Users

    async def __call__(self, user_id: UserId) -> User:
        """Find it.

        Raises:
            UnknownUserError: there is none.
        """
        user = await self.users.find(user_id)
        if user is None:
            raise UnknownUserError(user_id)
        return user


@dataclass(frozen=True, slots=True)
class UpdateUser:
    """Change some fields of a user."""

    users: Users
    clock: Clock
    new_id: Callable[[], UUID]

    async def __call__(self, user_id: UserId, values: Mapping[str, Any]) -> User:
        """Change the fields that are named, of CHANGEABLE; what says nothing new changes and tells nothing.

        Raises:
            UnknownUserError: there is none.
            InvalidUserError: a field breaks a rule, or nobody may change it.
            UsernameTakenError: an active user has the name.
            EmailTakenError: an active user has the address.
            UserMovedError: others kept changing it; the same again later may do.
        """
        _check_changeable(values)

        def change(user: User) -> tuple[User, UserFact]:
            now = self.clock.now()
            after = user.changed(now, **values)
            fields = differences(user, after)
            return after, UserUpdated(event_id=str(self.new_id()), occurred_at=now, user=after, fields=fields)

        return await _change(self.users, user_id, change)


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Delete a user: it is inactive from now on, its keys are dead, its row stays."""

    users: Users
    clock: Clock
    new_id: Callable[[], UUID]

    async def __call__(self, user_id: UserId) -> None:
        """Delete it; one that is deleted already stays as it is.

        Raises:
            UnknownUserError: there is none.
            UserMovedError: others kept changing it; the same again later may do.
        """

        def change(user: User) -> tuple[User, UserFact]:
            now = self.clock.now()
            after = user.deleted(now)
            return after, UserDeleted(event_id=str(self.new_id()), occurred_at=now, user=after)

        await _change(self.users, user_id, change)


def _check_changeable(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in CHANGEABLE:
            raise InvalidUserError(name, "cannot be changed")
        if value is None and name != "full_name":
            raise InvalidUserError(name, "cannot be empty")


async def _change(users: Users, user_id: UserId, change: Callable[[User], tuple[User, UserFact]]) -> User:
    """Change what is there now; look again when somebody else was faster, a few times.

    Raises:
        UserMovedError: somebody else was faster each time.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(UserMovedError):
            return await _change_once(users, user_id, change)
    return await _change_once(users, user_id, change)


async def _change_once(users: Users, user_id: UserId, change: Callable[[User], tuple[User, UserFact]]) -> User:
    before = await FindUser(users)(user_id)
    after, told = change(before)
    if after is not before:
        await users.save(before, after, told)
    return after
