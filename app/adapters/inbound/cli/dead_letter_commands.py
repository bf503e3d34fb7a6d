"""`marquee dead-letters`: activities that could not be stored, and what becomes of them."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated

import typer

from app.adapters.inbound.answering.stats_answers import dead_letter_answer
from app.adapters.inbound.cli.running import run
from app.adapters.inbound.cli.saying import print_exact_json, say
from app.adapters.inbound.cli.stats_tables import dead_letters
from app.application.ports.activities import DeadLetters

MOST = 10_000
"""Letters that `--all` means: they are looked up first, for one that is retried may be back before the last one is."""
TOGETHER = 100

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at the most, oldest first.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `dead-letters list` shows them.")]
All = Annotated[bool, typer.Option("--all", help=f"All that there are now; of more than {MOST:,} the oldest.")]

OpenDeadLetters = Callable[[], AbstractAsyncContextManager[DeadLetters]]


def add_dead_letter_commands(cli: typer.Typer, open_letters: OpenDeadLetters) -> None:
    """Add the group `dead-letters` to `cli`; `open_letters` opens them, for as long as a command runs."""
    group = typer.Typer(
        name="dead-letters", help="Activities that could not be stored: kept until you decide.", no_args_is_help=True
    )

    @group.command(name="list")
    def list_(limit: Limit = 20, as_json: Json = False) -> None:
        """List them with their reasons, oldest first."""
        found = run(open_letters, lambda letters: letters.list(limit))
        if as_json:
            print_exact_json([dead_letter_answer(letter) for letter in found])
        else:
            dead_letters(found).show()

    @group.command()
    def retry(ids: Ids = None, everything: All = False) -> None:
        """Put letters back into the queue. Exit code 1: not all; the others are unknown or cannot be read."""
        _check(ids, everything)
        _say("put back", run(open_letters, lambda letters: _each(letters, ids, letters.retry)))

    @group.command()
    def drop(ids: Ids = None, everything: All = False) -> None:
        """Forget letters, and the activities in them. Exit code 1: not all were there."""
        _check(ids, everything)
        _say("dropped", run(open_letters, lambda letters: _each(letters, ids, letters.drop)))

    cli.add_typer(group)


def _check(ids: Sequence[str] | None, everything: bool) -> None:
    if bool(ids) == everything:
        say("marquee: name letters by their ids, or say --all", err=True)
        raise typer.Exit(2)


@dataclass(frozen=True, slots=True)
class _Done:
    count: int
    asked: int
    unknown: Sequence[str] = ()
    unreadable: Sequence[str] = ()
    """Of those that were named."""


async def _each(
    letters: DeadLetters, ids: Sequence[str] | None, act: Callable[[Collection[str]], Awaitable[int]]
) -> _Done:
    """Act on the letters with these ids, or on all; return on how many of how many."""
    if ids:
        return await _each_named(letters, list(dict.fromkeys(ids)), act)
    chosen = [letter.letter_id for letter in await letters.list(MOST)]
    counts = [await act(chosen[begin : begin + TOGETHER]) for begin in range(0, len(chosen), TOGETHER)]
    return _Done(sum(counts), len(chosen))


async def _each_named(
    letters: DeadLetters, ids: Sequence[str], act: Callable[[Collection[str]], Awaitable[int]]
) -> _Done:
    missed = [letter_id for letter_id in ids if not await act([letter_id])]
    there = {letter.letter_id for letter in await letters.list(MOST)} if missed else set()
    return _Done(
        len(ids) - len(missed),
        len(ids),
        unknown=[letter_id for letter_id in missed if letter_id not in there],
        unreadable=[letter_id for letter_id in missed if letter_id in there],
    )


def _say(what: str, done: _Done) -> None:
    say(f"{what}: {done.count:,} of {done.asked:,} dead letters")
    for letter_id in done.unknown:
        say(f"marquee: no dead letter has the id {letter_id!r}; `marquee dead-letters list` shows them", err=True)
    for letter_id in done.unreadable:
        say(f"marquee: {letter_id} cannot be read; `marquee dead-letters drop {letter_id}` forgets it", err=True)
    raise typer.Exit(0 if done.count == done.asked else 1)
