"""The list of what was forgotten: outlives a kill at any byte, names nobody, and is nobody else's to read."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.adapters.machine.forget_list import FILE, ForgetFile
from app.application.ports.forgetting import ForgetListError, Forgetting
from app.domain.removal import ToRemove, digests_of

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ANA = digests_of(ToRemove(users=frozenset({"ana"})))


def an_entry(*ids: int) -> Forgetting:
    return Forgetting(uuid4(), AT, ANA, frozenset(UUID(int=number) for number in ids))


def test_entries_come_back_with_all_their_ids(tmp_path: Path) -> None:
    forget_list, one, other = ForgetFile(tmp_path / "data"), an_entry(1), an_entry()
    forget_list.begin(one)
    forget_list.begin(other)
    forget_list.add_ids(one.forgetting_id, [UUID(int=2), UUID(int=1)])
    forget_list.add_ids(other.forgetting_id, [])

    found = ForgetFile(tmp_path / "data").entries()

    assert [entry.forgetting_id for entry in found] == [one.forgetting_id, other.forgetting_id]
    assert [sorted(one.int for one in entry.ids) for entry in found] == [[1, 2], []]
    assert {(entry.at, entry.digests) for entry in found} == {(AT, ANA)}


def test_it_names_nobody_and_is_for_us_alone(tmp_path: Path) -> None:
    ForgetFile(tmp_path).begin(an_entry(1))

    assert "ana" not in (tmp_path / FILE).read_text(encoding="utf-8").replace(next(iter(ANA)), "")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_nothing_was_forgotten_where_there_is_no_list(tmp_path: Path) -> None:
    assert ForgetFile(tmp_path).entries() == []


def test_a_line_that_was_cut_off_is_written_over(tmp_path: Path) -> None:
    forget_list, one, other = ForgetFile(tmp_path), an_entry(1), an_entry(2)
    forget_list.begin(one)
    whole = (tmp_path / FILE).read_bytes()

    for length in range(len(whole)):
        (tmp_path / FILE).write_bytes(whole + whole[:length])
        assert [entry.forgetting_id for entry in forget_list.entries()] == [one.forgetting_id]
    forget_list.begin(other)

    assert [entry.forgetting_id for entry in forget_list.entries()] == [one.forgetting_id, other.forgetting_id]


def test_ids_of_no_entry_are_left_alone(tmp_path: Path) -> None:
    ForgetFile(tmp_path).add_ids(uuid4(), [UUID(int=1)])

    assert ForgetFile(tmp_path).entries() == []


def test_a_list_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"forgetting":"x"}\n')

    with pytest.raises(ForgetListError, match=r"forgotten.ndjson, line 1: "):
        ForgetFile(tmp_path).entries()


def test_one_that_cannot_be_read_or_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()

    with pytest.raises(ForgetListError, match="cannot be read"):
        ForgetFile(tmp_path).entries()
    with pytest.raises(ForgetListError, match="cannot be written"):
        ForgetFile(tmp_path).begin(an_entry())
