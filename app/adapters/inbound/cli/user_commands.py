"""`marquee users` and `marquee keys`: who may use the service, and with what."""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from app.adapters.formats.cloud_events import user_data
from app.adapters.inbound.answering.key_answers import key_answer, new_key_answer
from app.adapters.inbound.cli.catalog_tables import at
from app.adapters.inbound.cli.listing import Listing, show
from app.adapters.inbound.cli.options import Json, Yes, add_group, at_most
from app.adapters.inbound.cli.running import Opener, run, stopped
from app.adapters.inbound.cli.saying import agree, say
from app.adapters.inbound.cli.user_tables import keys_listing, users_listing
from app.adapters.inbound.reading.instants import read_lifetime
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.application.manage_keys import NewKey
from app.application.manage_users import NewUser
from app.domain.access import Role
from app.domain.api_keys import KEY_ID_LENGTH, key_id_of
from app.domain.publishable_keys import read_publishable
from app.domain.users import USERNAME, UnknownUserError, User

Limit = Annotated[int, at_most(", in the order in which they were made")]
Who = Annotated[str, typer.Argument(metavar="USER", help="The username of an active user, or an id.")]
KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it; or the whole key.")]
GivenRole = Annotated[Role, typer.Option(help="Each may do what those before it may.")]
NewRole = Annotated[Role | None, typer.Option(help="Each may do what those before it may.")]
FullName = Annotated[str | None, typer.Option(metavar="TEXT", help="For people.")]
OnlyActive = Annotated[bool | None, typer.Option("--active/--inactive", help="All by default.")]
IsActive = Annotated[bool | None, typer.Option("--active/--inactive", help="Keys of an inactive user do not work.")]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="90d, 12h or a date-time such as 2036-01-01T00:00:00Z; else never.")
]
IsPublishable = Annotated[
    bool,
    typer.Option("--publishable", help="For pages: it may be seen, posts activities of its origins, and nothing else."),
]
Origins = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ORIGIN", help="Whose pages may post with it: https://shop.example; '*' is any. May be repeated."
    ),
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="The only types it may post. May be repeated; else any."),
]

T = TypeVar("T")

KEY_ID = re.compile(rf"[0-9A-Za-z]{{{KEY_ID_LENGTH}}}", re.ASCII)


def add_user_commands(cli: typer.Typer, open_parts: Opener[UsersUseCases]) -> None:
    """Add the groups `users` and `keys` to `cli`."""
    users = add_group(cli, "users", "The people and apps that may use the service.")
    _add_reading(users, open_parts)
    _add_changing(users, open_parts)
    _add_keys(add_group(cli, "keys", "Their keys: shown once, two live ones at a time."), open_parts)


def _add_reading(group: typer.Typer, open_parts: Opener[UsersUseCases]) -> None:
    @group.command(name="list")
    def list_(
        limit: Limit = 100,
        after: Annotated[UUID | None, typer.Option(metavar="ID", help="Those behind this one.")] = None,
        active: OnlyActive = None,
        as_json: Json = False,
    ) -> None:
        """List the users, also deleted ones."""
        found = run(open_parts, lambda core: core.users.page(limit, after, is_active=active))
        show(as_json, [user_data(user) for user in found], users_listing(found))

    @group.command(name="show")
    def show_(who: Who, as_json: Json = False) -> None:
        """Show a user; a deleted one by its id."""
        _show(run(open_parts, lambda core: _find(core, who)), as_json=as_json)


def _add_changing(group: typer.Typer, open_parts: Opener[UsersUseCases]) -> None:
    @group.command()
    def create(
        username: str, email: str, full_name: FullName = None, role: GivenRole = Role.READER, as_json: Json = False
    ) -> None:
        """Add a user. `marquee keys create` makes a key for it."""
        new = NewUser(username=username, email=email, full_name=full_name or None, role=role)
        _show(run(open_parts, lambda core: core.create_user(new)), as_json=as_json)

    @group.command()
    def update(  # noqa: PLR0913 - an option for each field
        who: Who,
        *,
        username: Annotated[str | None, typer.Option()] = None,
        email: Annotated[str | None, typer.Option()] = None,
        full_name: FullName = None,
        role: NewRole = None,
        active: IsActive = None,
        as_json: Json = False,
    ) -> None:
        """Change some fields of a user; an empty --full-name takes it away."""
        said = {"username": username, "email": email, "full_name": full_name, "role": role, "is_active": active}
        values: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        if full_name == "":
            values["full_name"] = None

        _show(run(open_parts, lambda core: _of(core, who, lambda id_: core.update_user(id_, values))), as_json=as_json)

    @group.command()
    def delete(who: Who, yes: Yes = False) -> None:
        """Delete a user: inactive from now on, with all keys revoked; the row stays."""
        agree(f"Delete {who} and revoke all keys?", yes=yes)

        async def remove(core: UsersUseCases) -> User:
            user = await _find(core, who)
            await core.delete_user(user.user_id)
            return user

        say(f"deleted: {run(open_parts, remove).username}; all keys are revoked")


def _add_keys(group: typer.Typer, open_parts: Opener[UsersUseCases]) -> None:
    @group.command()
    def create(  # noqa: PLR0913 - an option for each field
        who: Who,
        *,
        name: Annotated[str, typer.Option(metavar="TEXT", help="To tell keys apart.")] = "",
        expires: Expires = None,
        publishable: IsPublishable = False,
        origin: Origins = None,
        type_: Types = None,
        as_json: Json = False,
    ) -> None:
        """Make a key and print it, this once: the key alone on standard output, what to know of it beside."""

        async def make(core: UsersUseCases) -> NewKey:
            may = read_publishable(publishable=publishable, origins=origin or (), types=type_ or ())
            user = await _find(core, who)
            until = None if expires is None else read_lifetime("--expires", expires, core.clock.now())
            return await core.create_key(user.user_id, name, until, may)

        made = run(open_parts, make)
        show(as_json, new_key_answer(made), made.text, partial(_advise, made))

    @group.command(name="list")
    def list_(who: Who, as_json: Json = False) -> None:
        """List the keys of a user, newest first, without their secrets."""

        async def look(core: UsersUseCases) -> tuple[list[dict[str, object]], Listing]:
            found = await _of(core, who, core.list_keys)
            now = core.clock.now()
            return [key_answer(key, now) for key in found], keys_listing(who, found, now)

        show(as_json, *run(open_parts, look))

    @group.command()
    def revoke(who: Who, key_id: KeyId) -> None:
        """Revoke a key: a second later it opens nothing any more."""
        public = key_id_of(key_id) or key_id
        if not KEY_ID.fullmatch(public):  # perhaps a key with a slip in it: not to be repeated
            expected = f"the {KEY_ID_LENGTH} characters that `keys list` shows, or the whole key"
            raise stopped(f"KEY_ID: expected {expected}", 2)

        run(open_parts, lambda core: _of(core, who, lambda id_: core.revoke_key(id_, public)))
        say(f"revoked: {public}")


async def _of(core: UsersUseCases, who: str, act: Callable[[UUID], Awaitable[T]]) -> T:
    """Do it with the id of whom somebody means."""
    return await act((await _find(core, who)).user_id)


async def _find(core: UsersUseCases, who: str) -> User:
    """Find whom somebody means: by id, else by the name of an active user (which may look like an id).

    Raises:
        UnknownUserError: there is none.
    """
    user_id = None
    with suppress(ValueError):
        user_id = UUID(who)
    user = None if user_id is None else await core.users.find(user_id)
    if user is None and USERNAME.fullmatch(who):
        user = await core.users.named(who)
    if user is None:
        raise UnknownUserError(who if user_id is None else user_id)
    return user


def _show(user: User, *, as_json: bool) -> None:
    show(as_json, user_data(user), users_listing([user]))


def _advise(made: NewKey) -> None:
    until = f"until {at(made.key.expires_at)}" if made.key.expires_at else "until it is revoked"
    say(f"marquee: key {made.key.key_id}, good {until}. Keep it: it is not shown again.", err=True)
    if made.key.publishable:
        pages = ", ".join(sorted(made.key.publishable.origins))
        say(f"marquee: no secret: pages of {pages} post activities with it, as `POST /events?key=KEY`", err=True)
        return
    say("marquee: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`", err=True)
