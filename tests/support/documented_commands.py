"""Commands that documents show with their answers: found in the text, run, and compared."""

import json
import re
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from tests.support.service import REPOSITORY, Installation, Service

STEP = re.compile(r"```sh\n([^`]+)```\n\n```(?:json|text)\n(.+?)\n```", re.DOTALL)
TIMED = re.compile(r"in \d+\.\d+ s( \([\d,]+ rows/s\))?")


def steps(document: str, heading: str | None = None) -> list[tuple[str, str]]:
    """List the commands of a document, or of what stands below a heading of it, that show an answer."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else text
    return STEP.findall(section)


def answer(words: Sequence[str], installation: Installation, service: Service | None = None) -> str:
    """Run a command of `marquee`, or ask the service as curl would."""
    if words[0] == "curl":
        assert service is not None
        return _curl(service, words[1], dict(zip(words[2::2], words[3::2], strict=True)))
    return installation.command(*words[1:]).stdout


def comparable(answer: str) -> Any:
    """JSON by what it says, sums with their digits; tables by their lines; how long something took does not matter."""
    if answer.startswith(("{", "[")):
        return json.loads(answer, parse_float=str)
    return [line.rstrip() for line in TIMED.sub("in no time", answer).strip().splitlines()]


def _curl(service: Service, url: str, options: dict[str, str]) -> str:
    """Ask as curl would, which not every machine has."""
    body = options.pop("-d", None)
    name, _, value = options.pop("-H", "Accept: */*").partition(": ")
    assert not options
    with closing(service.connect()) as connection:
        target = url.removeprefix("http://127.0.0.1:8000")
        connection.request("GET" if body is None else "POST", target, body, {name: value})
        return connection.getresponse().read().decode()
