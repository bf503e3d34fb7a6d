"""What a reader relies on: documents are short, their links lead somewhere, and the files that they name exist."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.support.service import REPOSITORY

DOCUMENTS = sorted(chain(REPOSITORY.glob("*.md"), (REPOSITORY / "doc").rglob("*.md")))
DECISIONS = [path for path in DOCUMENTS if re.match(r"\d{4}-", path.name)]
"""They tell of the day on which they were written, and may name what has moved since."""
LIVING = [path for path in DOCUMENTS if path not in DECISIONS]
FOLDERS = ("app", "bench", "deploy", "doc", "findings", "sample", "tests")
FILES = {
    str(path.relative_to(REPOSITORY))
    for top in (*FOLDERS, ".ci", ".github")
    for path in (REPOSITORY / top).rglob("*")
    if "__pycache__" not in path.parts
} | {path.name for path in REPOSITORY.iterdir()}

MOST_WORDS, LONGEST_LINE = 6_000, 120
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
NAMED = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+|[\w/]+\.(?:py|sh|js|lua|toml|lock|yml|yaml))`")
EXAMPLES = {"package/module.py", "mNNNN_words.py"}
"""Names of files that a reader is to make."""
PICTURES = re.compile(r"```mermaid\n(.+?)\n```", re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that are no code."""
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, line


def anchors(path: Path) -> set[str]:
    """List the places of a document that a link can name, as GitHub makes them of headings."""
    headings = (line.lstrip("# ") for _, line in prose(path) if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_no_document_is_longer_than_somebody_reads_at_once(document: Path) -> None:
    assert len(document.read_text(encoding="utf-8").split()) <= MOST_WORDS


@pytest.mark.parametrize("document", LIVING, ids=name_of)
def test_lines_of_prose_fit_into_a_window(document: Path) -> None:
    lines = [(number, line) for number, line in prose(document) if not line.startswith(("|", "<"))]

    assert [number for number, line in lines if len(line) > LONGEST_LINE] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(document: Path) -> None:
    broken = []
    text = " ".join(line for _, line in prose(document))
    for target in (one or other for one, other in LINK.findall(text)):
        name, _, anchor = target.partition("#")
        if ":" in name:
            continue
        path = document.parent / name if name else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("document", LIVING, ids=name_of)
def test_every_file_of_the_repository_that_a_document_names_is_there(document: Path) -> None:
    named = {name for _, line in prose(document) for name in NAMED.findall(line)} - EXAMPLES

    assert sorted(name for name in named if not is_there(name.rstrip("/"))) == []


def is_there(name: str) -> bool:
    """Find a whole path, the end of one (`sql/stats.py`), or a pattern."""
    if "*" in name:
        return any(REPOSITORY.glob(name))
    return name in FILES or any(path.endswith(f"/{name}") for path in FILES)


def code() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "app").rglob("*.py"))


def test_the_glossary_names_what_the_code_has() -> None:
    glossary = (REPOSITORY / "doc" / "glossary.md").read_text(encoding="utf-8")
    there = set(re.findall(r"\w+", code()))

    assert set(re.findall(r"`([A-Z][a-z]\w+)(?:\.\w+)?`", glossary)) - there == set()


def test_the_pictures_name_modules_and_errors_that_there_are() -> None:
    drawn = "\n".join(PICTURES.findall((REPOSITORY / "doc" / "development.md").read_text(encoding="utf-8")))

    assert [name for name in re.findall(r"[\w/]+\.py", drawn) if not is_there(name)] == []
    assert [name for name in re.findall(r"\w+Error\b", drawn) if f"class {name}(" not in code()] == []
