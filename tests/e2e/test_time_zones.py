"""Time zones through the whole service, which reads naive queries in Europe/Madrid.

Madrid's clocks go forward at 2023-03-26T01:00Z and back at 2023-10-29T01:00Z.
"""

import pytest

from tests.support.service import Service

pytestmark = pytest.mark.redis_server


def titles(service: Service, starts_at: str, ends_at: str) -> list[str]:
    return [plan["title"] for plan in service.search(f"starts_at={starts_at}&ends_at={ends_at}")]


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        ("2023-06-30T22:00:00Z", "2023-06-30T23:00:00Z"),
        ("2023-07-01T00:00:00%2B02:00", "2023-07-01T01:00:00%2B02:00"),
        ("2023-07-01T00:00:00+02:00", "2023-07-01T01:00:00+02:00"),  # as curl sends it: the + means a space
        ("2023-07-01T00:00:00%2002:00", "2023-07-01T01:00:00%2002:00"),
        ("2023-06-30T18:00:00-04:00", "2023-06-30T19:00:00-0400"),
        ("2023-07-01T00:00:00", "2023-07-01T01:00:00"),
        ("2023-07-01t00:00", "2023-06-30T23:00:00.000z"),
        ("2023-07-01%2000:00:00", "2023-07-01T01:00:00"),
    ],
)
def test_every_spelling_of_an_instant_means_the_same(service: Service, starts_at: str, ends_at: str) -> None:
    assert titles(service, starts_at, ends_at) == ["Summer"]


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        ("2023-06-30T22:00:01Z", "2023-06-30T23:00:00Z"),
        ("2023-06-30T22:00:00Z", "2023-06-30T22:59:59Z"),
        ("2023-07-01T00:00:00Z", "2023-07-01T01:00:00Z"),  # Madrid's wall clock, but not Madrid's instants
        ("2023-07-01T00:00:01+02:00", "2023-07-01T01:00:00+02:00"),
        ("2023-07-01T00:00:01", "2023-07-01T01:00:00"),
    ],
)
def test_a_window_a_second_too_narrow_or_in_another_zone_does_not_hold_the_plan(
    service: Service, starts_at: str, ends_at: str
) -> None:
    assert titles(service, starts_at, ends_at) == []


def test_a_plan_at_a_time_that_occurs_twice_starts_at_the_first(service: Service) -> None:
    assert titles(service, "2023-10-29T00:30:00Z", "2023-10-29T02:30:00Z") == ["Fold"]
    assert titles(service, "2023-10-29T00:30:01Z", "2023-10-29T02:30:00Z") == []


def test_a_plan_at_a_time_that_does_not_occur_starts_later_by_the_gap(service: Service) -> None:
    assert titles(service, "2023-03-26T01:30:00Z", "2023-03-26T02:00:00Z") == ["Gap"]
    assert titles(service, "2023-03-26T01:30:01Z", "2023-03-26T02:00:00Z") == []


def test_a_naive_query_reads_such_times_as_plans_do(service: Service) -> None:
    assert titles(service, "2023-10-29T02:30:00", "2023-10-29T03:30:00") == ["Fold"]
    assert titles(service, "2023-03-26T02:30:00", "2023-03-26T04:00:00") == ["Gap"]


def test_the_answer_keeps_the_providers_wall_clock_even_where_it_does_not_exist(service: Service) -> None:
    (gap,) = (plan for plan in service.search() if plan["title"] == "Gap")

    assert (gap["start_date"], gap["start_time"], gap["end_time"]) == ("2023-03-26", "02:30:00", "04:00:00")
