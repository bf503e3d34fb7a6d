"""`marquee users` and `marquee keys` as their users meet them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner, Result

from app.adapters.inbound.cli.saying import NO_TERMINAL
from app.adapters.inbound.cli.user_commands import add_user_commands
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.application.manage_keys import CreateKey, ListKeys, RevokeKey
from app.application.manage_users import CreateUser, DeleteUser, FindUser, UpdateUser
from app.application.ports.users import UserMovedError
from app.domain.api_keys import key_id_of
from app.domain.domain_events import UserFact
from app.domain.users import User
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUsers
from tests.support.fixed_clock import FixedClock

ANA_ID = "00000000-0000-0000-0000-000000000001"
BY_ID = "an inactive one is named by its id, as `marquee users list` shows it"
DAY = 86400


class Crowded(MemoryUsers):
    """Somebody else is always faster."""

    async def save(self, before: User, after: User, told: UserFact) -> None:  # noqa: ARG002 - the port's
        raise UserMovedError


class World:
    """The commands over stores in memory; ids and secrets are counted."""

    def __init__(self) -> None:
        self.store = AccessStore()
        self.clock = FixedClock()
        self.users = MemoryUsers(self.store)
        self._numbers, self._letters = count(1), count(0)
        self.cli = typer.Typer()
        add_user_commands(self.cli, self._core)

    @asynccontextmanager
    async def _core(self) -> AsyncIterator[UsersUseCases]:
        keys = MemoryApiKeys(self.store)
        yield UsersUseCases(
            users=self.users,
            create_user=CreateUser(self.users, self.clock, self._new_id),
            find_user=FindUser(self.users),
            update_user=UpdateUser(self.users, self.clock, self._new_id),
            delete_user=DeleteUser(self.users, self.clock, self._new_id),
            create_key=CreateKey(keys, self.clock, lambda length: f"{next(self._letters):0{length}}", self.users),
            list_keys=ListKeys(self.users, keys),
            revoke_key=RevokeKey(keys, self.clock),
            clock=self.clock,
        )

    def _new_id(self) -> UUID:
        return UUID(int=next(self._numbers))

    def run(self, *arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(self.cli, arguments, input=given)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        return json.loads(done.stdout)

    def lines(self, *arguments: str) -> list[str]:
        done = self.run(*arguments)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return [" ".join(line.split()) for line in done.stdout.splitlines()]

    def refusal(self, *arguments: str, code: int = 2) -> str:
        """Expect a refusal in one line, and return it."""
        done = self.run(*arguments)
        assert (done.exit_code, done.stdout) == (code, ""), done.output
        (line,) = done.stderr.splitlines()
        assert line.startswith("marquee: ")
        return line.removeprefix("marquee: ")

    def key(self, *arguments: str) -> str:
        done = self.run("keys", "create", *arguments)
        assert done.exit_code == 0, done.output
        return done.stdout.removesuffix("\n")


@pytest.fixture
def world() -> World:
    made = World()
    assert made.run("users", "create", "ana", "ana@example.com").exit_code == 0
    return made


def test_a_user_is_added_and_shown(world: World) -> None:
    made = world.lines("users", "create", "bob", "bob@example.com", "--full-name", "Bob [b]", "--role", "operator")

    assert made == [
        "id username email name role active created",
        "00000000-0000-0000-0000-000000000003 bob bob@example.com Bob [b] operator yes 2026-01-05 12:00:00Z",
    ]
    assert world.lines("users", "show", "bob") == made


@pytest.mark.parametrize("who", ["ana", "ANA", ANA_ID, ANA_ID.replace("-", "")])
def test_users_are_called_by_name_or_by_id(world: World, who: str) -> None:
    assert world.json("users", "show", who) == {
        "id": ANA_ID,
        "username": "ana",
        "email": "ana@example.com",
        "full_name": None,
        "role": "reader",
        "is_active": True,
        "created_at": "2026-01-05T12:00:00.000Z",
        "updated_at": "2026-01-05T12:00:00.000Z",
    }


def test_a_name_that_looks_like_an_id_is_found(world: World) -> None:
    name = "00000000-0000-0000-0000-00000000ffff"
    world.run("users", "create", name, "odd@example.com")

    assert world.json("users", "show", name)["email"] == "odd@example.com"


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("bob", f"no active user is called 'bob'; {BY_ID}"),
        ("a b", f"no active user is called 'a b'; {BY_ID}"),
        ("\udcff", f"no active user is called '\\udcff'; {BY_ID}"),
        ("00000000-0000-0000-0000-00000000ffff", "no user has the id 00000000-0000-0000-0000-00000000ffff"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ("users", "show", "WHO"),
        ("users", "update", "WHO"),
        ("users", "delete", "WHO", "--yes"),
        ("keys", "create", "WHO"),
        ("keys", "list", "WHO"),
        ("keys", "revoke", "WHO", "0000000000"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_somebody_unknown_is_named(world: World, command: tuple[str, ...], who: str, said: str) -> None:
    assert world.refusal(*(who if word == "WHO" else word for word in command)) == said


def test_an_inactive_one_is_named_by_its_id(world: World) -> None:
    world.run("users", "update", "ana", "--inactive")

    assert world.refusal("users", "update", "ana", "--active") == f"no active user is called 'ana'; {BY_ID}"
    assert world.json("users", "update", ANA_ID, "--active")["is_active"]


def test_users_are_listed_a_page_at_a_time(world: World) -> None:
    for name in ("bob", "eve"):
        world.run("users", "create", name, f"{name}@example.com")
    world.run("users", "delete", "bob", "--yes")

    assert [user["username"] for user in world.json("users", "list")] == ["ana", "bob", "eve"]
    assert [user["username"] for user in world.json("users", "list", "--after", ANA_ID, "--limit", "1")] == ["bob"]
    assert [user["username"] for user in world.json("users", "list", "--active")] == ["ana", "eve"]
    assert [user["username"] for user in world.json("users", "list", "--inactive")] == ["bob"]
    assert [line.split()[-3] for line in world.lines("users", "list")[1:]] == ["yes", "deleted", "yes"]


def test_an_update_changes_what_it_names(world: World) -> None:
    changed = world.json("users", "update", "ana", "--role", "admin", "--full-name", "Ana", "--email", "a@example.com")
    unnamed = world.json("users", "update", "ana", "--full-name", "", "--username", "ana2", "--inactive")

    assert (changed["role"], changed["full_name"], changed["email"], changed["is_active"]) == (
        "admin",
        "Ana",
        "a@example.com",
        True,
    )
    assert (unnamed["username"], unnamed["full_name"], unnamed["role"], unnamed["is_active"]) == (
        "ana2",
        None,
        "admin",
        False,
    )
    assert world.json("users", "update", ANA_ID, "--active")["is_active"] is True


def test_an_update_that_names_nothing_changes_nothing(world: World) -> None:
    before = world.json("users", "show", "ana")
    world.clock.move(60)

    assert world.json("users", "update", "ana") == before
    assert len(world.store.told) == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("create", "a b", "x@example.com"), "username: 1 to 64 of"),
        (("create", "bob", "nobody"), "email: expected an address"),
        (("create", "ANA", "x@example.com"), "username: an active user is called 'ANA' already"),
        (("create", "bob", "ANA@example.com"), "email: an active user has 'ANA@example.com' already"),
        (("update", "ana", "--full-name", "a\nb"), "full_name: up to 200 characters"),
        (("update", "ana", "--username", ""), "username: 1 to 64 of"),
        (("update", "ana", "--email", ""), "email: expected an address"),
    ],
)
def test_what_breaks_a_rule_is_one_line_and_exit_code_1(world: World, command: tuple[str, ...], said: str) -> None:
    assert world.refusal("users", *command).startswith(said)
    assert len(world.store.told) == 1


def test_a_change_that_somebody_else_keeps_overtaking_is_told(world: World) -> None:
    world.users = Crowded(world.store)

    said = world.refusal("users", "update", "ana", "--role", "writer")

    assert said.startswith("somebody else is changing this user")


def test_deleting_asks_first(world: World) -> None:
    kept = world.run("users", "delete", "ana", given="y\n")
    active = world.json("users", "show", "ana")["is_active"]
    gone = world.run("users", "delete", "ana", "--yes")

    assert (kept.exit_code, kept.stderr, active) == (2, f"marquee: {NO_TERMINAL}\n", True)
    assert (gone.exit_code, gone.stdout.splitlines()[-1]) == (0, "deleted: ana; all keys are revoked")
    assert world.json("users", "show", ANA_ID)["is_active"] is False
    assert world.lines("users", "delete", ANA_ID, "--yes") == ["deleted: ana; all keys are revoked"]


def test_a_key_stands_alone_on_standard_output_and_the_advice_beside(world: World) -> None:
    done = world.run("keys", "create", "ana")

    key = done.stdout.removesuffix("\n")
    assert done.exit_code == 0
    assert key_id_of(key) == "0000000000"
    assert "until it is revoked" in done.stderr
    assert "not shown again" in done.stderr
    assert "Authorization: Bearer KEY" in done.stderr
    assert key not in done.stderr


@pytest.mark.parametrize(
    ("when", "expires_at"),
    [
        ("90d", "2026-04-05T12:00:00.000Z"),
        ("12h", "2026-01-06T00:00:00.000Z"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00.000Z"),
        ("2027-01-01T00:00:00+02:00", "2026-12-31T22:00:00.000Z"),
    ],
)
def test_a_key_expires_after_a_time_or_at_a_time(world: World, when: str, expires_at: str) -> None:
    made = world.json("keys", "create", "ana", "--name", "shop", "--expires", when)

    assert (made["name"], made["state"], made["expires_at"]) == ("shop", "live", expires_at)
    assert key_id_of(made["key"]) == made["id"]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        *(
            (when, f"--expires: expected 90d, 12h or a date-time such as 2036-01-01T00:00:00Z, found {when!r}")
            for when in ("soon", "", "-1d", "90", "1e9d", "999999d", "9999-12-31T23:59:59-01:00", "x" * 64)
        ),
        *((when, "expires_at: lies in the past") for when in ("0d", "2026-01-05T12:00:00Z")),
    ],
)
def test_a_time_that_is_none_makes_no_key(world: World, when: str, said: str) -> None:
    assert world.refusal("keys", "create", "ana", f"--expires={when}") == said
    assert world.store.keys == {}


def test_keys_are_listed_without_their_secrets(world: World) -> None:
    first = world.key("ana", "--name", "[old]", "--expires", "1d")
    world.clock.move(DAY)
    second = world.key("ana")

    assert world.lines("keys", "list", "ana") == [
        "id name state created expires last used pages of",
        f"{key_id_of(second)} - live 2026-01-06 12:00:00Z never never -",
        f"{key_id_of(first)} [old] expired 2026-01-05 12:00:00Z 2026-01-06 12:00:00Z never -",
    ]
    fields = [
        "created_at",
        "expires_at",
        "id",
        "last_used_at",
        "name",
        "origins",
        "publishable",
        "revoked_at",
        "state",
        "types",
    ]
    assert [sorted(key) for key in world.json("keys", "list", "ana")] == [fields] * 2


@pytest.mark.parametrize("whole", [False, True])
def test_a_key_is_revoked_by_its_id_or_by_itself(world: World, *, whole: bool) -> None:
    key = world.key("ana")
    key_id = str(key_id_of(key))

    lines = [world.lines("keys", "revoke", "ana", key if whole else key_id) for _ in range(2)]

    assert lines == [[f"revoked: {key_id}"]] * 2
    assert [one["state"] for one in world.json("keys", "list", "ana")] == ["revoked"]


def test_a_key_with_a_slip_in_it_is_not_repeated(world: World) -> None:
    key = world.key("ana")

    assert world.refusal("keys", "revoke", "ana", key[:-1]) == (
        "KEY_ID: expected the 10 characters that `keys list` shows, or the whole key"
    )


def test_a_key_that_is_not_there_is_told(world: World) -> None:
    assert world.refusal("keys", "revoke", "ana", "zzzzzzzzzz") == "the user has no key 'zzzzzzzzzz'"


def test_a_third_live_key_is_refused(world: World) -> None:
    for _ in range(2):
        world.key("ana")

    assert world.refusal("keys", "create", "ana") == "the user has 2 live keys of this kind already: revoke one first"


@pytest.mark.parametrize(
    "command",
    [
        ("users", "list"),
        ("users", "create", "bob", "bob@example.com"),
        ("users", "show", "ana"),
        ("users", "update", "ana"),
        ("users", "delete", "ana", "--yes"),
        ("keys", "create", "ana"),
        ("keys", "list", "ana"),
        ("keys", "revoke", "ana", "0000000000"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_database_that_is_away_is_told(world: World, command: tuple[str, ...]) -> None:
    world.store.unavailable = "the database is away"

    assert world.refusal(*command, code=1) == "the database is away"
