"""What a user may be, and how it changes."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import Role
from app.domain.users import (
    EmailTakenError,
    InvalidUserError,
    UnknownUserError,
    User,
    UsernameTakenError,
    differences,
    folded,
)
from tests.support.access_builders import a_user
from tests.support.builders import NOW

UNWRITABLE = ("\x00", "\n", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", "\udfff")
"""Control characters, line separators, halves of characters."""


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("username", ["a", "7", "Ana", "ana.b_c-9", "a" * 64])
def test_a_username_is_made_of_ascii_letters_digits_and_three_marks(username: str):
    assert a_user(username=username).username == username


@pytest.mark.parametrize(
    "username", ["", "-a", ".a", "_a", "a b", "a@b", "añ", "\u0430", "a/b", "a" * 65, "ana\n", "\nana", *UNWRITABLE]
)
def test_any_other_username_is_refused(username: str):
    with pytest.raises(InvalidUserError, match=r"^username: 1 to 64") as refused:
        a_user(username=username)

    assert refused.value.field == "username"


@pytest.mark.parametrize(
    "email", ["a@b", "ana@example.com", "ñandú@exämple.com", "a+b.c@x-y.z", "a" * 64 + "@b", "a@" + "b" * 252]
)
def test_an_email_is_something_at_something(email: str):
    assert a_user(email=email).email == email


@pytest.mark.parametrize(
    "email",
    ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@b\n", "\u200ba@b", "a" * 65 + "@b", "a@" + "b" * 253]
    + [f"a{mark}@b" for mark in UNWRITABLE]
    + [f"a@b{mark}" for mark in UNWRITABLE],
)
def test_any_other_email_is_refused(email: str):
    with pytest.raises(InvalidUserError, match=r"^email: ") as refused:
        a_user(email=email)

    assert refused.value.field == "email"


@pytest.mark.parametrize("full_name", [None, "", "Ana O\u2019Neill", "\u0645\u200c\u062e", "\U0001f3ad", "x" * 200])
def test_a_full_name_is_any_text_that_can_be_written(full_name: str | None):
    assert a_user(full_name=full_name).full_name == full_name


@pytest.mark.parametrize("full_name", ["x" * 201, *(f"Ana{mark}" for mark in UNWRITABLE)])
def test_any_other_full_name_is_refused(full_name: str):
    with pytest.raises(InvalidUserError, match=r"^full_name: up to 200") as refused:
        a_user(full_name=full_name)

    assert refused.value.field == "full_name"


@given(field=st.sampled_from(("username", "email", "full_name")), text=st.text(st.characters(), max_size=6))
def test_no_text_that_a_database_refuses_becomes_part_of_a_user(field: str, text: str):
    values: dict[str, Any] = {field: f"a{text}@b" if field == "email" else f"a{text}"}
    try:
        user = a_user(**values)
    except InvalidUserError:
        return

    written = getattr(user, field)
    assert "\x00" not in written
    assert written.encode()


@pytest.mark.parametrize("role", ["admin", "god", None])
def test_a_role_is_a_role_and_not_its_text(role: Any):
    with pytest.raises(InvalidUserError, match=r"^role: expected one of reader, writer, operator, admin$"):
        replace(a_user(), role=role)


def test_a_refusal_does_not_repeat_a_text_of_any_length():
    with pytest.raises(InvalidUserError) as refused:
        a_user(username="x" * 10_000)

    assert len(str(refused.value)) < 100


def test_a_change_says_when_and_counts():
    changed = a_user().changed(later(60), full_name="Ana", role=Role.ADMIN)

    assert changed == replace(a_user(), full_name="Ana", role=Role.ADMIN, updated_at=later(60), version=2)
    assert differences(a_user(), changed) == ("full_name", "role")


def test_a_change_that_says_nothing_new_is_none():
    user = a_user()

    assert user.changed(later(60), username="user-1", is_active=True) is user
    assert user.changed(later(60)) is user
    assert differences(user, user) == ()


def test_a_clock_that_went_back_makes_no_change_older_than_the_one_before():
    assert a_user().changed(later(-60), full_name="Ana").updated_at == NOW


def test_a_change_is_checked_like_a_new_user():
    with pytest.raises(InvalidUserError):
        a_user().changed(NOW, username="")


def test_who_is_deleted_is_inactive_and_keeps_all_else():
    gone = a_user(role="admin").deleted(later(60))

    assert gone == replace(a_user(role="admin"), is_active=False, deleted_at=later(60), updated_at=later(60), version=2)


def test_who_is_inactive_can_be_deleted():
    off = a_user().changed(later(1), is_active=False)

    assert (off.deleted_at, off.deleted(later(2)).deleted_at) == (None, later(2))


def test_who_is_deleted_already_stays_as_it_is():
    gone = a_user().deleted(later(60))

    assert gone.deleted(later(120)) is gone


def test_who_becomes_active_again_is_not_deleted_any_more():
    back = a_user().deleted(later(60)).changed(later(120), is_active=True)

    assert (back.is_active, back.deleted_at, back.version) == (True, None, 3)


def test_who_is_deleted_stays_so_when_something_else_changes():
    gone = a_user().deleted(later(60))

    assert gone.changed(later(120), full_name="Ana").deleted_at == later(60)
    assert gone.changed(later(120), is_active=False) is gone


def test_names_are_compared_without_case():
    assert folded("Ana") == folded("aNA")
    assert folded("STRASSE") == folded("straße")
    assert folded("Ana") != folded("Aña")


def test_errors_say_who_is_meant():
    unknown = UUID(int=7)

    assert str(UnknownUserError(unknown)) == f"no user has the id {unknown}"
    assert str(UnknownUserError("ana")).startswith("no active user is called 'ana'; an inactive one is named by its id")
    assert "'Ana'" in str(UsernameTakenError("Ana"))
    assert "'a@b'" in str(EmailTakenError("a@b"))


def test_a_user_cannot_be_changed_in_place():
    user: Any = a_user()

    with pytest.raises(AttributeError):
        user.role = Role.ADMIN
    assert isinstance(user, User)
