"""`marquee forget`: visitors, sources or single activities."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

import typer

from app.adapters.inbound.answering.removal_answers import forgotten_answer
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, Yes
from app.adapters.inbound.cli.progress import counting
from app.adapters.inbound.cli.removal_texts import print_forgotten
from app.adapters.inbound.cli.running import Opener, resumable, run, stopped
from app.adapters.inbound.cli.saying import agree, say_styled
from app.application.forget import Forget, ForgetAgain, Forgotten
from app.domain.removal import ToRemove

Users = Annotated[
    list[str] | None,
    typer.Option("--user", metavar="ID", help="With all anonymous ids that belong to it. May be repeated."),
]
Anonymous = Annotated[
    list[str] | None, typer.Option("--anonymous", metavar="ID", help="An anonymous id alone. May be repeated.")
]
Sources = Annotated[
    list[str] | None, typer.Option("--source", metavar="NAME", help="Whatever a source has sent. May be repeated.")
]
Ids = Annotated[list[UUID] | None, typer.Option("--id", metavar="ID", help="One activity. May be repeated.")]
Again = Annotated[
    bool, typer.Option("--again", help="Forget all that was ever forgotten and is in this database: it was set back.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetParts:
    """What the command needs."""

    forget: Forget
    forget_again: ForgetAgain


def add_forget_command(cli: typer.Typer, open_parts: Opener[ForgetParts]) -> None:
    """Add the command `forget` to `cli`."""

    @cli.command()
    def forget(  # noqa: PLR0913 - an option for each kind
        *,
        user: Users = None,
        anonymous: Anonymous = None,
        source: Sources = None,
        id_: Ids = None,
        again: Again = False,
        yes: Yes = False,
        as_json: Json = False,
    ) -> None:
        """Forget visitors, sources or single activities for good, wherever something is kept of them.

        Figures are as if they had never been. No late copy of what is gone counts; what they do from now on does. Safe
        to repeat, and after a kill.
        """
        wanted = ToRemove(
            users=frozenset(user or ()),
            anonymous=frozenset(anonymous or ()),
            sources=frozenset(source or ()),
            ids=frozenset(id_ or ()),
        )
        named = [*(user or ()), *(anonymous or ()), *(source or ()), *map(str, id_ or ())]
        if bool(named) == again:
            raise stopped("say whom: --user, --anonymous, --source or --id; or --again, and nothing else", 2)
        if again:
            _again(open_parts, as_json=as_json)
            return
        agree(f"Forget {', '.join(named)} for good?", yes=yes)

        async def work(parts: ForgetParts) -> Forgotten:
            with counting("forgetting") as told:
                return await parts.forget(wanted, told)

        with resumable():
            done = run(open_parts, work)
        show(as_json, forgotten_answer(done), partial(print_forgotten, done))


def _again(open_parts: Opener[ForgetParts], *, as_json: bool) -> None:
    async def work(parts: ForgetParts) -> int:
        with counting("forgetting") as told:
            return await parts.forget_again(told)

    with resumable():
        activities = run(open_parts, work)
    show(as_json, {"activities": activities}, lambda: say_styled(f"forgotten again: {activities:,} activities"))
