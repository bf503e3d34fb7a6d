"""What was read well before: found again by its bytes, and never anything else."""

from pathlib import Path
from uuid import UUID

import pytest

from app.adapters.outbound.providers.reading.reading_memory import Reading, ReadingMemory

SOME = Reading([(UUID(int=1), b"d" * 16), (UUID(int=2), b"e" * 16)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readings" / "demo"


def kept(file: Path | None, readings: dict[bytes, Reading], way: str = "way") -> None:
    """Remember as a reader does that comes to the end of its source."""
    memory = ReadingMemory(file, way)
    for content, reading in readings.items():
        key = memory.key(content)
        if memory.recall(key) is None:
            memory.note(key, reading)
    memory.keep()
    memory.close()


def recalled(file: Path | None, content: bytes, way: str = "way", context: bytes = b"") -> Reading | None:
    memory = ReadingMemory(file, way)
    try:
        return memory.recall(memory.key(content, context))
    finally:
        memory.close()


def test_what_was_kept_is_found_by_its_bytes(file: Path):
    unknown = Reading([], {"banner": 2, "zone@colour": 70_000}, 2)

    kept(file, {b"one": SOME, b"two": unknown})

    assert recalled(file, b"one") == SOME
    assert recalled(file, b"two") == unknown
    assert recalled(file, b"three") is None
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(file.parent.iterdir()) == [file]


def test_bytes_that_are_read_in_another_way_or_place_are_others(file: Path):
    kept(file, {b"one": SOME})

    assert recalled(file, b"one", way="another") is None
    assert recalled(file, b"one", context=b"<output>") is None


def test_what_was_not_met_again_is_forgotten(file: Path):
    kept(file, {b"one": SOME, b"two": SOME})

    kept(file, {b"two": SOME})

    assert recalled(file, b"one") is None
    assert recalled(file, b"two") == SOME


def test_a_reading_that_did_not_come_to_its_end_leaves_what_was_kept(file: Path):
    kept(file, {b"one": SOME})
    memory = ReadingMemory(file, "way")
    memory.note(memory.key(b"two"), SOME)
    memory.close()
    memory.close()

    assert recalled(file, b"one") == SOME
    assert recalled(file, b"two") is None


def test_a_file_is_left_alone_when_nothing_changed(file: Path):
    kept(file, {b"one": SOME, b"two": SOME})
    before = file.stat()

    kept(file, {b"two": SOME, b"one": SOME})

    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("at", [0, 25, 45, 60, 90, -1])
def test_a_damaged_file_is_ignored_and_replaced(file: Path, at: int):
    kept(file, {b"one": SOME})
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)

    assert recalled(file, b"one") is None

    kept(file, {b"one": SOME})
    assert recalled(file, b"one") == SOME


@pytest.mark.parametrize(
    "content", [b"", b"something else", b"marquee readings 1\n", b"marquee readings 1\n" + bytes(24)]
)
def test_a_foreign_or_empty_file_is_ignored(file: Path, content: bytes):
    file.parent.mkdir()
    file.write_bytes(content)

    assert recalled(file, b"one") is None


def test_a_file_that_cannot_be_written_costs_no_more_than_time(tmp_path: Path):
    (tmp_path / "readings").write_text("no folder")

    kept(tmp_path / "readings" / "demo", {b"one": SOME})

    assert recalled(tmp_path / "readings" / "demo", b"one") is None


def test_without_a_file_nothing_is_remembered():
    kept(None, {b"one": SOME})

    assert recalled(None, b"one") is None


def test_a_long_source_is_found_as_long_as_it_keeps_its_order(file: Path):
    contents = [str(number).encode() for number in range(60_000)]
    kept(file, dict.fromkeys(contents, SOME))
    memory = ReadingMemory(file, "way")

    found = [memory.recall(memory.key(content)) is not None for content in contents[100:30_000] + contents[29_000:]]
    memory.close()

    assert all(found)
