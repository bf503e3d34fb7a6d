"""The tours of README.md and doc/tour.md: every command that shows an answer gives that answer."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.conftest import DEMO, recorded
from tests.support.service import REPOSITORY, Installation, Service
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

STEP = re.compile(r"```sh\n([^`]+)```\n\n```(?:json|text)\n(.+?)\n```", re.DOTALL)
TIMED = re.compile(r"in \d+\.\d s \([\d,]+ rows/s\)")


def steps(document: str, heading: str) -> list[tuple[str, str]]:
    section = (REPOSITORY / document).read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    return STEP.findall(section.partition("\n## ")[0])


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
    assert [words[0] for words in commands].count("curl") == 8
    assert [words[0] for words in commands].count(".venv/bin/marquee") == 2

    for words, (_, shown) in zip(commands, TOUR, strict=True):
        _expect(words, _comparable(shown), *standing)


def _expect(words: Sequence[str], shown: Any, installation: Installation, service: Service) -> None:
    """Compare once what changes something; ask again for a while what the workers may not have counted yet."""
    if "-d" in words or "import" in words:
        assert _comparable(_answer(words, installation, service)) == shown
    else:
        until(lambda: _comparable(_answer(words, installation, service)) == shown)


def _answer(words: Sequence[str], installation: Installation, service: Service) -> str:
    if words[0] == "curl":
        return _curl(service, words[1], dict(zip(words[2::2], words[3::2], strict=True)))
    return installation.command(*words[1:]).stdout


def _curl(service: Service, url: str, options: dict[str, str]) -> str:
    """Ask as curl would, which not every machine has."""
    body = options.pop("-d", None)
    name, _, value = options.pop("-H", "Accept: */*").partition(": ")
    assert not options
    with closing(service.connect()) as connection:
        target = url.removeprefix("http://127.0.0.1:8000")
        connection.request("GET" if body is None else "POST", target, body, {name: value})
        return connection.getresponse().read().decode()


def _comparable(answer: str) -> Any:
    """JSON by what it says, sums with their digits; tables by their lines; how long an import took does not matter."""
    if answer.startswith(("{", "[")):
        return json.loads(answer, parse_float=str)
    return [line.rstrip() for line in TIMED.sub("in no time", answer).strip().splitlines()]
