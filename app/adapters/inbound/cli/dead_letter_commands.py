"""`marquee dead-letters`: activities that could not be stored, and what becomes of them."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from app.adapters.inbound.answering.stats_answers import dead_letter_answer
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, add_group, at_most
from app.adapters.inbound.cli.running import Opener, run, stopped
from app.adapters.inbound.cli.saying import say
from app.adapters.inbound.cli.stats_tables import dead_letters
from app.application.ports.activities import DeadLetters

MOST = 10_000
"""Letters that `--all` means: they are looked up first, for one that is retried may be back before the last one is."""
TOGETHER = 100
Act = Callable[[Collection[str]], Awaitable[int]]

Limit = Annotated[int, at_most(", oldest first")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `dead-letters list` shows them.")]
All = Annotated[bool, typer.Option("--all", help=f"All that there are now; of more than {MOST:,} the oldest.")]


def add_dead_letter_commands(cli: typer.Typer, open_letters: Opener[DeadLetters]) -> None:
    """Add the group `dead-letters` to `cli`."""
    group = add_group(cli, "dead-letters", "Activities that could not be stored: kept until you decide.")

    @group.command(name="list")
    def list_(limit: Limit = 20, as_json: Json = False) -> None:
        """List them with their reasons, oldest first."""
        found = run(open_letters, lambda letters: letters.list(limit))
        show(as_json, [dead_letter_answer(letter) for letter in found], dead_letters(found))

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


def _check(ids: Sequence[str] | None, everything: bool) -> None:
    if bool(ids) == everything:
        raise stopped("name letters by their ids, or say --all", 2)


@dataclass(frozen=True, slots=True)
class _Done:
    count: int
    asked: int
    unknown: Sequence[str] = ()
    unreadable: Sequence[str] = ()
    """Of those that were named."""


async def _each(letters: DeadLetters, ids: Sequence[str] | None, act: Act) -> _Done:
    """Act on the letters with these ids, or on all; return on how many of how many."""
    if ids:
        return await _each_named(letters, list(dict.fromkeys(ids)), act)
    chosen = [letter.letter_id for letter in await letters.list(MOST)]
    counts = [await act(chosen[begin : begin + TOGETHER]) for begin in range(0, len(chosen), TOGETHER)]
    return _Done(sum(counts), len(chosen))


async def _each_named(letters: DeadLetters, ids: Sequence[str], act: Act) -> _Done:
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
