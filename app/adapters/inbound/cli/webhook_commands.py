"""`marquee webhooks`: who is told of what happens, and what became of it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer

from app.adapters.inbound.answering.webhook_answers import (
    attempt_answer,
    delivery_answer,
    found_answer,
    secret_answer,
    shown_url,
)
from app.adapters.inbound.cli import webhook_tables as tables
from app.adapters.inbound.cli.catalog_tables import at
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, Yes, add_group, at_most
from app.adapters.inbound.cli.running import Opener, plainly, run, stopped
from app.adapters.inbound.cli.saying import agree, say
from app.adapters.inbound.cli.webhook_headers import read_headers
from app.adapters.inbound.cli.webhook_listener import listen
from app.adapters.inbound.reading.instants import read_instant
from app.adapters.inbound.use_cases.webhooks_use_cases import WebhooksUseCases
from app.application.ports.system import Clock
from app.application.ports.webhooks import Backlog, Replay
from app.domain.webhook_deliveries import Answer
from app.domain.webhooks import OVERLAP, Endpoint, EndpointId

T = TypeVar("T")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The webhook's name.")]
Url = Annotated[str, typer.Argument(metavar="URL", help="Where messages are posted to.")]
Names = Annotated[
    str | None,
    typer.Option(
        "--names",
        metavar="NAMES",
        help="What it hears of: plan.changed,user.*,activity.purchase; else all but activities.",
    ),
]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="'NAME: VALUE'",
        help="Sent beside Marquee's own; may be said again. @FILE has one a line, where no list of processes shows it.",
    ),
]
Limit = Annotated[int, at_most(", newest first")]


def add_webhook_commands(cli: typer.Typer, open_parts: Opener[WebhooksUseCases]) -> None:
    """Add the group `webhooks` to `cli`."""
    group = add_group(cli, "webhooks", "Who is told of what happens, by HTTP.")
    _add_adding(group, open_parts)
    _add_looking(group, open_parts)
    _add_switching(group, open_parts)
    _add_trying(group, open_parts)
    _add_listening(group, open_parts)


def _add_adding(group: typer.Typer, open_parts: Opener[WebhooksUseCases]) -> None:
    @group.command()
    def add(name: Name, url: Url, names: Names = None, header: Headers = None, as_json: Json = False) -> None:
        """Add a webhook and print its secret: this once."""
        wanted = [part.strip() for part in names.split(",")] if names else []
        with plainly():
            headers = read_headers(header or ())
        endpoint = run(open_parts, lambda core: core.add(name, url, wanted, headers))
        heard = f"{endpoint.name} hears of {tables.hears_of(endpoint)} at {shown_url(endpoint.url)}"
        advice = f"`marquee webhooks test {endpoint.name}` shows whether it works"
        show(as_json, secret_answer(endpoint), heard, _secret(endpoint), advice)

    @group.command()
    def remove(name: Name, yes: Yes = False) -> None:
        """Remove a webhook, what is pending for it, and its log."""
        agree(f"Remove {name} and all its deliveries?", yes=yes)

        run(open_parts, lambda core: core.remove(name))
        say(f"removed: {name}")

    @group.command()
    def headers(
        name: Name,
        header: Headers = None,
        without: Annotated[
            list[str] | None, typer.Option("--without", metavar="NAME", help="Sent no more; may be said again.")
        ] = None,
    ) -> None:
        """Change what a webhook sends beside Marquee's own headers; those that are not named stay."""
        with plainly():
            changes = dict.fromkeys(without or ()) | read_headers(header or ())
        endpoint = run(open_parts, lambda core: core.change_headers(name, changes))
        say(f"own headers of {name}: {', '.join(one.name for one in endpoint.headers) or 'none'}")

    @group.command()
    def rotate(
        name: Name,
        at_once: Annotated[bool, typer.Option("--at-once", help="The old secret ends now: it has leaked.")] = False,
        as_json: Json = False,
    ) -> None:
        """Make a new secret and print it, this once; the old one signs as well for 24 hours more."""
        overlap = timedelta() if at_once else OVERLAP
        endpoint = run(open_parts, lambda core: core.rotate(name, overlap))
        old_until = next((secret.until for secret in endpoint.secrets[1:]), None)
        other = f"the one before signs until {at(old_until)}" if old_until else "no other one signs any more"
        show(as_json, secret_answer(endpoint), _secret(endpoint), other)


def _add_looking(group: typer.Typer, open_parts: Opener[WebhooksUseCases]) -> None:
    @group.command(name="list")
    def list_(as_json: Json = False) -> None:
        """List all webhooks."""

        async def work(core: WebhooksUseCases) -> tuple[list[tuple[Endpoint, Backlog]], datetime]:
            found = [(one, await core.log.backlog(one.endpoint_id)) for one in await core.endpoints.all()]
            return found, core.clock.now()

        found, now = run(open_parts, work)
        show(as_json, [found_answer(*one, now) for one in found], tables.webhooks_listing(found, now))

    @group.command(name="show")
    def show_(name: Name, as_json: Json = False) -> None:
        """Show all of one webhook but its secrets."""
        found = run(open_parts, lambda core: _of(core, name, core.log.backlog))
        show(as_json, found_answer(*found), tables.webhook_facts(*found))

    @group.command()
    def log(name: Name, limit: Limit = 20, as_json: Json = False) -> None:
        """List the newest deliveries with their last attempts."""
        endpoint, found, now = run(open_parts, lambda core: _of(core, name, lambda id_: core.log.newest(id_, limit)))
        answers = [delivery_answer(endpoint, row, now) for row in found]
        show(as_json, answers, tables.deliveries_listing(endpoint, found))


def _add_switching(group: typer.Typer, open_parts: Opener[WebhooksUseCases]) -> None:
    @group.command()
    def enable(name: Name) -> None:
        """Switch a webhook on, or end its pause: what is pending goes on at once, with a new schedule."""
        run(open_parts, lambda core: core.switch.on(name))
        say(f"on: {name}")

    @group.command()
    def disable(name: Name) -> None:
        """Switch a webhook off: what is pending waits, what happens meanwhile it is not told."""
        run(open_parts, lambda core: core.switch.off(name))
        say(f"off: {name}")


def _add_trying(group: typer.Typer, open_parts: Opener[WebhooksUseCases]) -> None:
    @group.command()
    def test(name: Name, as_json: Json = False) -> None:
        """Send a signed marquee.webhook.test.v1 now and show the answer. Exit code 1: it was not taken."""

        async def work(core: WebhooksUseCases) -> tuple[Answer, Backlog]:
            return await core.try_out(name), (await _of(core, name, core.log.backlog))[1]

        answer, backlog = run(open_parts, work)
        show(as_json, attempt_answer(answer), lambda: say(tables.answered(answer), err=not answer.is_success))
        if answer.is_success and backlog.pending:
            advice = f"`marquee webhooks enable {name}` sends what waits at once"
            say(f"marquee: pending: {backlog.pending:,}; {advice}", err=True)
        raise typer.Exit(0 if answer.is_success else 1)

    @group.command()
    def replay(
        name: Name,
        delivery: Annotated[
            int | None, typer.Option("--delivery", metavar="ID", min=1, max=2**63 - 1, help="This one.")
        ] = None,
        failed: Annotated[bool, typer.Option("--failed", help="All that were given up.")] = False,
        since: Annotated[
            str | None, typer.Option("--since", metavar="INSTANT", help="All that ended, told at or after it.")
        ] = None,
    ) -> None:
        """Send again what has ended, with the ids that it had."""
        which = _which(delivery, since, failed=failed)
        count = run(open_parts, lambda core: core.replay(name, which))
        say(f"to be sent again: {count:,}")


async def _of(
    core: WebhooksUseCases, name: str, look: Callable[[EndpointId], Awaitable[T]]
) -> tuple[Endpoint, T, datetime]:
    """Look up what belongs to a webhook; say also which it is, and when this was."""
    endpoint = await core.find(name)
    return endpoint, await look(endpoint.endpoint_id), core.clock.now()


def _which(delivery: int | None, since: str | None, *, failed: bool) -> Replay:
    if [delivery is not None, since is not None, failed].count(True) != 1:
        raise stopped("say one of --delivery ID, --failed, --since INSTANT", 2)
    with plainly():
        return Replay(delivery_id=delivery, since=None if since is None else read_instant("--since", since, UTC))


def _secret(endpoint: Endpoint) -> str:
    return f"secret (shown this once): {endpoint.secrets[0].text}"


def _add_listening(group: typer.Typer, open_parts: Opener[WebhooksUseCases]) -> None:
    @group.command(name="listen")
    def listen_(
        name: Name,
        count: Annotated[int | None, typer.Option(min=1, help="End after so many good messages.")] = None,
    ) -> None:
        """Be the receiver of a webhook at an address of this machine: verify and print what comes."""

        async def find(core: WebhooksUseCases) -> tuple[Endpoint, Clock]:
            return await core.find(name), core.clock

        endpoint, clock = run(open_parts, find)
        with suppress(KeyboardInterrupt), plainly():
            listen(endpoint, count, clock.now, say)
