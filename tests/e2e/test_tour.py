"""The tours of README.md and doc/tour.md: every command that shows an answer gives that answer."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.e2e.conftest import DEMO, recorded
from tests.support.documented_commands import answer, comparable, steps
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

README = steps("README.md", "A short tour")
TOUR = steps("doc/tour.md", "Search, record, count")


@pytest.fixture
def standing() -> Iterator[tuple[Installation, Service]]:
    with Installation(recorded("demo", str(DEMO / "response_{}.xml"))) as installation:
        yield installation, installation.run()


def test_the_short_tour_of_the_readme_is_how_the_whole_one_begins() -> None:
    assert README
    assert TOUR[: len(README)] == README


def test_the_commands_of_the_tour_answer_what_it_shows(standing: tuple[Installation, Service]) -> None:
    commands = [shlex.split(command.replace("\\\n", " ")) for command, _ in TOUR]
    assert [words[0] for words in commands].count("curl") == 11
    assert [words[0] for words in commands].count(".venv/bin/marquee") == 6

    for words, (_, shown) in zip(commands, TOUR, strict=True):
        _expect(words, comparable(shown), *standing)


def _expect(words: Sequence[str], shown: Any, installation: Installation, service: Service) -> None:
    """Compare once what changes something; ask again for a while what the workers may not have counted yet."""
    if "-d" in words or not {"import", "imports", "forget"}.isdisjoint(words):
        assert comparable(answer(words, installation, service)) == shown
    else:
        until(lambda: comparable(answer(words, installation, service)) == shown)
