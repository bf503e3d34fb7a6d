"""`marquee forget` as its users meet it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from uuid import UUID, uuid4

import pytest
import typer
from typer.testing import CliRunner, Result

from app.adapters.inbound.cli.forget_command import ForgetParts, add_forget_command
from app.adapters.inbound.cli.saying import NO_TERMINAL
from app.application.forget import Forget, ForgetAgain
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.forgetting import (
    MemoryForgetList,
    MemoryForgottenNames,
    MemoryQueuedActivities,
    MemoryToldActivities,
)
from tests.fakes.refused_samples import MemoryRefusedSamples
from tests.support.builders import NOW, an_activity
from tests.support.fixed_clock import FixedClock


class World:
    """The command over memory adapters."""

    def __init__(self) -> None:
        self.store = MemoryActivityStore(UTC)
        self.stream = MemoryActivityStream()
        self.forget_list = MemoryForgetList()
        self.names = MemoryForgottenNames(self.store)
        self.cli = typer.Typer()
        self.cli.callback()(lambda: None)
        add_forget_command(self.cli, self._parts)

    @asynccontextmanager
    async def _parts(self) -> AsyncIterator[ForgetParts]:
        forget = Forget(
            self.forget_list,
            self.names,
            MemoryQueuedActivities(self.stream),
            MemoryRefusedSamples(self.stream.store),
            MemoryToldActivities(),
            self.store,
            FixedClock(NOW),
            uuid4,
        )
        yield ForgetParts(forget=forget, forget_again=ForgetAgain(self.forget_list, self.names, self.store, self.store))

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(self.cli, ["forget", *arguments])


@pytest.fixture
async def world() -> World:
    made = World()
    await made.store.store([an_activity(1, user="ana"), an_activity(2, user="eva"), an_activity(3, source="shop")])
    return made


def test_it_says_how_much_was_forgotten(world: World) -> None:
    world.stream.bury([an_activity(9, user="eva")], "broken")

    done = world.run("--user", "eva", "--source", "shop", "--yes")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "forgotten: 2 activities that were stored, 0 that waited",
        "  1 in dead letters, 0 samples of refusals",
        "  0 deliveries to webhooks, 0 anonymous ids of the users",
    ]


async def test_it_says_that_figures_by_type_of_older_days_stay(world: World) -> None:
    await world.store.remove_some(NOW.date() + timedelta(days=1))

    done = await asyncio.to_thread(world.run, "--user", "ana", "--yes")
    assert done.stdout.splitlines()[-1] == (
        "  of days whose activities have left: the users; what is counted by type on them stays"
    )


def test_for_programs_it_is_json(world: World) -> None:
    done = world.run("--id", str(UUID(int=1)), "--anonymous", "x", "--yes", "--json")

    assert json.loads(done.stdout) == {
        "activities": 1,
        "waiting": 0,
        "dead_letters": 0,
        "refusal_samples": 0,
        "webhook_deliveries": 0,
        "anonymous_ids": 0,
        "frozen_days": False,
    }


def test_a_database_that_was_set_back_forgets_again(world: World) -> None:
    assert world.run("--user", "ana", "--yes").exit_code == 0
    assert world.run("--again").stdout == "forgotten again: 0 activities\n"
    world.names = MemoryForgottenNames(world.store)
    world.store.set_back([an_activity(1, user="ana")])

    assert json.loads(world.run("--again", "--json").stdout) == {"activities": 1}


@pytest.mark.parametrize("arguments", [(), ("--again", "--user", "ana")])
def test_it_wants_to_know_whom(world: World, arguments: tuple[str, ...]) -> None:
    refused = world.run(*arguments)

    assert (refused.exit_code, refused.stderr.count("say whom")) == (2, 1)


def test_it_asks(world: World) -> None:
    asked = world.run("--user", "ana")

    assert (asked.exit_code, asked.stderr) == (2, f"marquee: {NO_TERMINAL}\n")
