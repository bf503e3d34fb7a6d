from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.feeds import Rejection, RejectionReason
from app.domain.plans import PlanKey
from app.domain.rejection_list import Finding, StandingRejection, identity, stand
from tests.support.builders import NOW


def a_rejection(item: str = "1", line: int = 7, part: str | None = None) -> Rejection:
    return Rejection(
        reason=RejectionReason.INVALID_DATE,
        message="day 31 of September",
        line=line,
        source="<plan/>",
        key=PlanKey("demo", "1", item),
        part=part,
    )


def found(run: int, *met: Rejection, is_whole: bool = True, read_well: Sequence[PlanKey] = ()) -> Finding:
    return Finding(f"run-{run}", NOW + timedelta(minutes=run), met, read_well, is_whole)


def after(*findings: Finding) -> tuple[Sequence[StandingRejection], Sequence[StandingRejection]]:
    standing: Sequence[StandingRejection] = ()
    mended: Sequence[StandingRejection] = ()
    for finding in findings:
        standing, mended = stand(standing, finding)
    return standing, mended


def test_a_rejection_that_is_met_again_is_one_row_with_the_newest_words() -> None:
    [row], mended = after(found(1, a_rejection(line=7)), found(2, a_rejection(line=9)))

    assert row == StandingRejection(
        rejection=a_rejection(line=9),
        first_seen_at=NOW + timedelta(minutes=1),
        last_seen_at=NOW + timedelta(minutes=2),
        times=2,
        run_id="run-2",
    )
    assert mended == []


def test_what_a_whole_feed_has_no_more_is_mended() -> None:
    standing, [mended] = after(found(1, a_rejection("1"), a_rejection("2")), found(2, a_rejection("2")))

    assert [row.rejection.key for row in standing] == [PlanKey("demo", "1", "2")]
    assert (mended.rejection, mended.mended_at, mended.times) == (a_rejection("1"), NOW + timedelta(minutes=2), 1)


def test_what_was_not_read_stands_behind_what_was_met() -> None:
    standing, mended = after(found(1, a_rejection("1")), found(2, a_rejection("2"), is_whole=False))

    assert [row.rejection.key and row.rejection.key.item_id for row in standing] == ["2", "1"]
    assert mended == []


def test_a_plan_that_was_read_without_its_rejection_is_mended_though_the_feed_was_not_whole() -> None:
    read_well = [PlanKey("demo", "1", "1")]

    standing, mended = after(found(1, a_rejection("1")), found(2, is_whole=False, read_well=read_well))

    assert (standing, [row.rejection for row in mended]) == ([], [a_rejection("1")])


def test_a_part_that_is_met_again_stands_although_its_plan_was_read() -> None:
    part = a_rejection("1", part="sell_to")

    standing, mended = after(found(1, part), found(2, part, is_whole=False, read_well=[PlanKey("demo", "1", "1")]))

    assert ([row.times for row in standing], mended) == ([2], [])


def test_one_run_meets_a_record_once() -> None:
    [row], _ = after(found(1, a_rejection(line=7), a_rejection(line=8)))

    assert (row.times, row.rejection.line) == (1, 7)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (a_rejection(line=9), True),
        (replace(a_rejection(), message="other words", source="<plan a='b'/>"), True),
        (a_rejection("2"), False),
        (a_rejection(part="sell_to"), False),
        (replace(a_rejection(), reason=RejectionReason.DUPLICATE), False),
    ],
)
def test_plan_reason_and_part_make_the_identity(other: Rejection, same: bool) -> None:
    assert (identity(a_rejection()) == identity(other)) is same


def test_without_a_plan_the_base_is_the_identity_and_without_that_the_source() -> None:
    of_base = replace(a_rejection(), key=None, base_id="1")
    of_nobody = replace(of_base, base_id=None)

    assert identity(of_base).whose == "1"
    assert identity(of_nobody).whose == "<plan/>"


def test_records_of_one_base_that_tell_no_item_are_a_row_each() -> None:
    lost = [replace(a_rejection(line=line), key=None, base_id="1") for line in (7, 8, 9)]

    standing, mended = after(found(1, *lost), found(2, *lost[:2]))

    assert [(row.rejection.line, row.times) for row in standing] == [(7, 2), (8, 2)]
    assert [row.rejection.line for row in mended] == [9]
