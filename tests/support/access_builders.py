"""Builders of users, keys and what is told of users, with only the argument that matters."""

from datetime import datetime
from uuid import UUID, uuid4

from app.domain.access import Role
from app.domain.api_keys import ApiKey, compose, digest_of
from app.domain.domain_events import UserCreated, UserDeleted, UserUpdated
from app.domain.users import User, UserId, differences
from tests.support.builders import NOW


def user_id(number: int) -> UserId:
    return UUID(int=number)


def a_user(
    number: int = 1,
    *,
    username: str | None = None,
    email: str | None = None,
    full_name: str | None = None,
    role: Role | str = Role.READER,
    is_active: bool = True,
    at: datetime = NOW,
) -> User:
    """Build a user; its number makes its id, its name and its address."""
    return User(
        user_id=user_id(number),
        username=f"user-{number}" if username is None else username,
        email=f"user-{number}@example.com" if email is None else email,
        full_name=full_name,
        role=Role(role),
        is_active=is_active,
        created_at=at,
        updated_at=at,
    )


def key_text(number: int = 1) -> str:
    """Make the whole text of the key that `a_key` builds of this number."""
    return compose(f"{number:010}", f"{number:032}")


def a_key(
    number: int = 1,
    *,
    of: UserId | None = None,
    name: str = "",
    at: datetime = NOW,
    expires_at: datetime | None = None,
) -> ApiKey:
    """Build a key, of user 1 when nobody else is named; its number makes its text."""
    return ApiKey(
        key_id=f"{number:010}",
        user_id=user_id(1) if of is None else of,
        name=name,
        digest=digest_of(key_text(number)),
        created_at=at,
        expires_at=expires_at,
    )


def created(user: User) -> UserCreated:
    return UserCreated(event_id=str(uuid4()), occurred_at=user.created_at, user=user)


def updated(before: User, after: User) -> UserUpdated:
    return UserUpdated(
        event_id=str(uuid4()), occurred_at=after.updated_at, user=after, fields=differences(before, after)
    )


def deleted(user: User) -> UserDeleted:
    return UserDeleted(event_id=str(uuid4()), occurred_at=user.updated_at, user=user)
