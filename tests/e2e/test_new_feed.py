"""doc/providers/new-feed.md: every command is run in its order, over the entry that the document shows."""

import re
import shlex
from collections.abc import Iterator

import pytest
import yaml

from tests.support.documented_commands import answer, comparable, steps
from tests.support.service import REPOSITORY, Installation
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

DOCUMENT = "doc/providers/new-feed.md"
STEPS = [(shlex.split(command), shown.replace("/path/to", str(REPOSITORY))) for command, shown in steps(DOCUMENT)]
ALONE = re.compile(r"```sh\n(\.venv/bin/marquee [^`]+)```\n\n(?!```)")


def step(*beginning: str) -> tuple[list[str], str]:
    [found] = [one for one in STEPS if one[0][1 : 1 + len(beginning)] == list(beginning)]
    return found


@pytest.fixture
def pasted() -> Iterator[Installation]:
    """The entry that the trial of the document shows stands in config.yaml."""
    _, shown = step("providers", "try")
    [entry] = yaml.safe_load("providers:" + shown.partition("\nproviders:")[2])["providers"]
    with Installation(entry) as installation:
        yield installation


def test_the_commands_answer_what_the_document_shows(pasted: Installation) -> None:
    for beginning in (("providers", "try"), ("sync", "harbour", "--dry-run")):
        words, shown = step(*beginning)
        assert comparable(answer(words, pasted)) == comparable(shown)
    words, shown = step("check")
    assert comparable(shown)[0] in comparable(answer(words, pasted))
    words, shown = next(one for one in STEPS if one[0][1:] == ["sync", "harbour"])
    assert comparable(answer(words, pasted)) == comparable(shown)
    [(words, shown)] = [one for one in STEPS if one[0][0] == "curl"]
    service = pasted.run()
    until(lambda: comparable(answer(words, pasted, service)) == comparable(shown))
    assert [plan["title"] for plan in service.ask("/catalog/plans?status=cancelled").json["plans"]] == ["Tidal Organ"]


def test_commands_without_an_answer_work_too() -> None:
    text = (REPOSITORY / DOCUMENT).read_text(encoding="utf-8")
    with Installation() as installation:
        for command in ALONE.findall(text):
            done = installation.command(*shlex.split(command)[1:])
            assert done.returncode == 0, done.stderr


def test_the_mapping_of_the_document_is_what_the_trial_proposes() -> None:
    _, shown = step("providers", "try")
    [entry] = yaml.safe_load("providers:" + shown.partition("\nproviders:")[2])["providers"]

    assert yaml.safe_load((REPOSITORY / "sample" / "harbour.yaml").read_text(encoding="utf-8")) == entry["options"]
