"""A file of an export goes on where a killed run has stopped, and is never written over."""

import gzip
import io
import os
import random
import signal
import time
from pathlib import Path

import pytest

from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.export_files.output import STATE, PackedOutput, ResumableFile, StandardOutput

QUESTION = {"what": "activities", "from": None}
PARTS = 400


def write_on(path: Path, pause: float = 0.0) -> None:
    """Write parts from where the file stands to the end; each is a line with its number."""
    with ResumableFile(path, QUESTION, noted_every=0) as file:
        for number in range(int(file.place or 0), PARTS):
            file.add(f"{number}\n".encode() * 10, str(number + 1))
            time.sleep(pause)
        file.finish()


def test_a_file_that_was_killed_again_and_again_has_no_gap_and_no_repeat(tmp_path: Path) -> None:
    path, chance = tmp_path / "out.ndjson", random.Random(7)
    for _ in range(5):
        child = os.fork()
        if child == 0:
            write_on(path, pause=0.005)
            os._exit(0)
        time.sleep(chance.uniform(0.05, 0.3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    write_on(path)

    assert path.read_text() == "".join(f"{number}\n" * 10 for number in range(PARTS))
    assert [one.name for one in tmp_path.iterdir()] == ["out.ndjson"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_written_behind_the_last_note_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with ResumableFile(path, QUESTION, noted_every=0) as file:
        file.add(b"one\n", "1")
    with path.open("ab") as torn:
        torn.write(b"tw")

    with ResumableFile(path, QUESTION) as again:
        assert again.place == "1"
        again.add(b"two\n", "2")
        again.finish()

    assert path.read_bytes() == b"one\ntwo\n"


def test_a_file_of_another_question_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with ResumableFile(path, QUESTION, noted_every=0) as file:
        file.add(b"one\n", "1")

    with pytest.raises(UsageMistakeError, match="something else"):
        ResumableFile(path, {"what": "activities", "from": "2026-01-01"})

    assert path.read_bytes() == b"one\n"


def test_a_file_that_is_whole_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("mine")

    with pytest.raises(UsageMistakeError, match="there already"):
        ResumableFile(path, QUESTION)

    assert path.read_text() == "mine"


def test_two_exports_do_not_write_one_file(tmp_path: Path) -> None:
    with ResumableFile(tmp_path / "out", QUESTION), pytest.raises(UsageMistakeError, match="another export"):
        ResumableFile(tmp_path / "out", QUESTION)


@pytest.mark.parametrize("state", ["", "[]", '{"place": "1"}'])
def test_a_note_that_cannot_be_read_is_of_something_else(tmp_path: Path, state: str) -> None:
    (tmp_path / f"out{STATE}").write_text(state)

    with pytest.raises(UsageMistakeError, match="something else"):
        ResumableFile(tmp_path / "out", QUESTION)


def test_a_file_that_became_shorter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with ResumableFile(path, QUESTION, noted_every=0) as file:
        file.add(b"one\n", "1")
    path.write_bytes(b"o")

    with pytest.raises(UsageMistakeError, match="shorter"):
        ResumableFile(path, QUESTION)


def test_packed_parts_are_members_that_follow_each_other() -> None:
    stream = io.BytesIO()
    output = PackedOutput(StandardOutput(stream))

    output.add(b"one\n", "1")
    output.add(b"two\n", "2")
    output.finish()

    assert gzip.decompress(stream.getvalue()) == b"one\ntwo\n"
