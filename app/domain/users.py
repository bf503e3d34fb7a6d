"""Users: the people and apps that may use the service."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.access import Role
from app.domain.errors import DomainError

LONGEST_USERNAME, LONGEST_EMAIL, LONGEST_NAME = 64, 254, 200
USERNAME = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,{LONGEST_USERNAME - 1}}})", re.ASCII)
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Also line separators, and halves of characters, which no database takes."""

UserId = UUID


class InvalidUserError(DomainError):
    """A field of a user cannot be used; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        """Keep the field for the answer."""
        super().__init__(f"{field}: {message}")
        self.field = field


class UnknownUserError(DomainError):
    """There is no such user."""

    def __init__(self, who: UUID | str) -> None:
        """Name who was asked for."""
        advice = "an inactive one is named by its id, as `marquee users list` shows it"
        by_name = f"no active user is called {who!r}; {advice}"
        super().__init__(f"no user has the id {who}" if isinstance(who, UUID) else by_name)


class UsernameTakenError(DomainError):
    """Another active user has this name, be it in other letters of case."""

    def __init__(self, username: str) -> None:
        """Repeat the name."""
        super().__init__(f"username: an active user is called {username!r} already (case does not count)")


class EmailTakenError(DomainError):
    """Another active user has this address, be it in other letters of case."""

    def __init__(self, email: str) -> None:
        """Repeat the address."""
        super().__init__(f"email: an active user has {email!r} already (case does not count)")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or an app. Never removed: one that is deleted is inactive and keeps its row."""

    user_id: UserId
    username: str
    email: str
    full_name: str | None = None
    role: Role = Role.READER
    is_active: bool = True
    """Keys of an inactive user do not work."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    """When it was deleted; then it is inactive, and all its keys are revoked."""
    version: int = 1
    """Grows with every change."""

    def __post_init__(self) -> None:
        """Refuse what could not be told apart, shown or written to.

        Raises:
            InvalidUserError: of the first field that breaks a rule.
        """
        if not USERNAME.fullmatch(self.username):
            raise InvalidUserError(
                "username", f"1 to {LONGEST_USERNAME} of A-Z a-z 0-9 . _ -, the first a letter or a digit"
            )
        if len(self.email) > LONGEST_EMAIL or not EMAIL.fullmatch(self.email) or not self.email.isprintable():
            raise InvalidUserError("email", f"expected an address such as ana@example.com, up to {LONGEST_EMAIL} long")
        if self.full_name is not None and (len(self.full_name) > LONGEST_NAME or _CONTROL.search(self.full_name)):
            raise InvalidUserError("full_name", f"up to {LONGEST_NAME} characters, no control characters")
        if not isinstance(self.role, Role):  # its text is equal to it, but has no rank
            raise InvalidUserError("role", f"expected one of {', '.join(Role)}")

    def changed(self, at: datetime, **values: Any) -> "User":
        """Make the user with some fields changed; itself when they say nothing new.

        One that becomes active again is not deleted any more.

        Raises:
            InvalidUserError: as for a new one.
        """
        if all(getattr(self, name) == value for name, value in values.items()):
            return self
        if values.get("is_active"):
            values["deleted_at"] = None
        return replace(self, **values, updated_at=max(at, self.updated_at), version=self.version + 1)

    def deleted(self, at: datetime) -> "User":
        """Make the deleted user; itself when it is deleted already."""
        return self if self.deleted_at is not None else self.changed(at, is_active=False, deleted_at=at)


def folded(text: str) -> str:
    """Make of a name or an address what two of them are compared by: letters of case do not count."""
    return text.casefold()


CHANGEABLE = ("username", "email", "full_name", "role", "is_active")


def differences(before: User, after: User) -> tuple[str, ...]:
    """Name the fields that somebody may change and that differ."""
    return tuple(name for name in CHANGEABLE if getattr(before, name) != getattr(after, name))


@dataclass(frozen=True, slots=True)
class UserCounts:
    """How many users there are, and what became of users since the first one."""

    total: int
    """All, also deleted ones."""
    active: int
    deleted: int
    created_ever: int
    updated_ever: int
    deleted_ever: int
    """Deletions; somebody who was brought back and deleted again counts twice."""
