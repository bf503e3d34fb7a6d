"""`marquee catalog index`: what is said of files, and where they may go."""

import asyncio
from pathlib import Path

import pytest

from app.adapters.machine.index_place import PLACE
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.search_index.index_copies import FileIndexCopies
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.mapped_index_file import MappedIndexFile
from app.application.ports.catalog import LogPosition
from app.application.ports.copies import CopyError
from app.application.ports.index_file import IndexFileError
from app.domain.plans import searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import a_plan
from tests.support.service import Installation


def write_file(data_dir: Path, plans: int = 3) -> bytes:
    """Write an index file with so many plans, and return what is in it."""
    index = LiveIndex(RENDERING)
    index.put([searchable(a_plan(item)) for item in range(plans)])
    file = MappedIndexFile(index, RENDERING, SystemClock(), data_dir)
    asyncio.run(file.write({"acme": LogPosition(1, plans)}))
    return (data_dir / PLACE).read_bytes()


def copies(data_dir: Path) -> FileIndexCopies:
    return FileIndexCopies(data_dir, RENDERING)


def test_a_file_goes_to_another_machine_as_it_is_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    whole = write_file(tmp_path / "old")
    carried = tmp_path / "carried"

    exported = asyncio.run(copies(tmp_path / "old").export_to(carried))
    imported = asyncio.run(copies(tmp_path / "new").import_from(carried))

    place = tmp_path / "new" / PLACE
    assert (place.read_bytes(), exported.plans) == (whole, 3)
    assert exported == imported
    assert [path.stat().st_mode & 0o777 for path in (carried, place, place.parent)] == [0o600, 0o600, 0o700]


def test_an_import_takes_the_place_of_the_file_that_is_there(tmp_path: Path) -> None:
    whole = write_file(tmp_path / "old", plans=5)
    write_file(tmp_path / "new", plans=3)

    asyncio.run(copies(tmp_path / "new").import_from(tmp_path / "old" / PLACE))

    assert (tmp_path / "new" / PLACE).read_bytes() == whole


@pytest.mark.parametrize("at", [0, 9, 200, -1])
def test_a_damaged_file_is_neither_exported_nor_imported_and_nothing_is_left(tmp_path: Path, at: int) -> None:
    whole = bytearray(write_file(tmp_path))
    whole[at] ^= 1
    (tmp_path / PLACE).write_bytes(whole)
    (tmp_path / "new").mkdir()

    with pytest.raises(IndexFileError):
        asyncio.run(copies(tmp_path).export_to(tmp_path / "new" / "carried"))
    with pytest.raises(IndexFileError, match=str(tmp_path / PLACE)):
        asyncio.run(copies(tmp_path / "new").import_from(tmp_path / PLACE))

    assert list((tmp_path / "new").rglob("*.index")) == []


def test_an_export_overwrites_nothing_and_needs_a_file(tmp_path: Path) -> None:
    write_file(tmp_path)
    (tmp_path / "mine").write_text("mine")

    with pytest.raises(CopyError, match="is in the way"):
        asyncio.run(copies(tmp_path).export_to(tmp_path / "mine"))
    with pytest.raises(IndexFileError, match="no index file yet"):
        asyncio.run(copies(tmp_path / "new").export_to(tmp_path / "carried"))

    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("told", ["nothing", "."])
def test_what_is_no_file_is_not_imported(tmp_path: Path, told: str) -> None:
    with pytest.raises(CopyError, match="is no file"):
        asyncio.run(copies(tmp_path / "new").import_from(tmp_path / told))


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    write_file(tmp_path)

    with pytest.raises(CopyError, match="cannot be copied into"):
        asyncio.run(copies(tmp_path).export_to(tmp_path / "nowhere" / "carried"))


def test_the_commands_say_what_they_did_in_a_line_and_what_keeps_them_by_an_exit_code(tmp_path: Path) -> None:
    with Installation() as installation:
        missing = installation.command("catalog", "index", "export", str(tmp_path / "carried"))
        write_file(installation.data)
        done = installation.command("catalog", "index", "export", str(tmp_path / "carried"))
        imported = installation.json_of("catalog", "index", "import", str(tmp_path / "carried"))

    assert (missing.returncode, missing.stdout, missing.stderr.count("\n")) == (1, "", 1)
    assert "there is no index file yet" in missing.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("exported: 3 plans as of 20")
    assert imported.keys() == {"file", "written_at", "plans", "bytes"}
