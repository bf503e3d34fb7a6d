"""Values of dimensions, and the room that they find."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import fold_columns
from app.domain.dimensions import (
    NONE,
    OTHER,
    DimensionTotals,
    DimensionValue,
    FrequentValues,
    codes_by,
    value_of,
)
from app.domain.rollups import HourlyTotals, LocalClock

AT = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 20458


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (None, NONE),
        ('{"other":"page"}', NONE),
        ('{"page":null}', NONE),
        ('{"page":["/"]}', NONE),
        ('{"page":"/"}', "=/"),
        ('{"page":""}', "="),
        ('{"page":1.50}', "=1.50"),
        ('{"page":7}', "=7"),
        ('{"page":true}', "=true"),
        ('{"page":false}', "=false"),
        ('{"p\\u0061ge":"/"}', "=/"),
        ('{"page":"a\\u0000"}', OTHER),
        ('{"page":"\\ud800"}', OTHER),
        ('{"page":"' + "x" * 201 + '"}', OTHER),
        ('{"page":"' + "x" * 200 + '"}', "=" + "x" * 200),
    ],
)
def test_a_property_is_read_as_text(properties: str | None, code: str) -> None:
    assert codes_by("properties.page", [None], [properties]) == [code]


def test_a_code_tells_values_from_what_is_none() -> None:
    assert value_of("=*") == DimensionValue("*", is_other=False)
    assert value_of(OTHER) == DimensionValue(None, is_other=True)
    assert value_of(NONE) == DimensionValue(None, is_other=False)


def counted(rollup: DimensionTotals) -> dict[tuple[str, str, int, str], int]:
    sold = [
        Activity(UUID(int=n), type_, AT, source, value=Decimal("0.5"))
        for n, (type_, source) in enumerate([("buy", "web"), ("view", "web"), ("buy", "shop"), ("buy", None)])
    ]
    sums = fold_columns(ActivityColumns.of(sold), LocalClock(UTC), [rollup]).sums["dimension_totals"]
    assert all(sum_ == count * Decimal("0.5") for count, sum_ in sums.values())
    return {key: count for key, (count, _) in sums.items()}


def test_activities_are_counted_by_type_and_all_together() -> None:
    assert counted(DimensionTotals(["source"])) == {
        ("source", "buy", DAY, "=web"): 1,
        ("source", "view", DAY, "=web"): 1,
        ("source", "buy", DAY, "=shop"): 1,
        ("source", "buy", DAY, NONE): 1,
        ("source", "", DAY, "=web"): 2,
        ("source", "", DAY, "=shop"): 1,
        ("source", "", DAY, NONE): 1,
    }


def test_what_is_not_admitted_counts_among_the_others() -> None:
    assert counted(DimensionTotals(["source"], admitted={"source": ["=web"]})) == {
        ("source", "buy", DAY, "=web"): 1,
        ("source", "view", DAY, "=web"): 1,
        ("source", "buy", DAY, OTHER): 1,
        ("source", "buy", DAY, NONE): 1,
        ("source", "", DAY, "=web"): 2,
        ("source", "", DAY, OTHER): 1,
        ("source", "", DAY, NONE): 1,
    }
    assert counted(DimensionTotals(["source"], admitted={"source": ["=web", "=shop"]})) == counted(
        DimensionTotals(["source"])
    )


def test_a_rollup_says_what_it_counts() -> None:
    hours = HourlyTotals()

    assert (hours.counts_by, hours.told((3600, "buy"))) == (
        "",
        "count of buy in the hour from 1970-01-01T01:00:00+00:00",
    )


def test_a_dimension_says_what_it_counts() -> None:
    rollup = DimensionTotals(["source", "properties.page"])

    assert rollup.counts_by == "source,properties.page"
    assert rollup.told(("source", "", DAY, OTHER)) == "count of all types by source others on 2026-01-05"
    assert rollup.told(("source", "buy", DAY, "=web")) == "count of buy by source 'web' on 2026-01-05"


def test_the_most_frequent_values_find_room() -> None:
    frequent = FrequentValues(2)

    frequent.count(["=a", "=b", "=b", NONE, OTHER, "=c", "=c"])

    assert frequent.found() == (["=b", "=c"], True)
    assert FrequentValues(2).found() == ([], False)


def test_rare_values_are_forgotten_when_there_are_too_many() -> None:
    frequent = FrequentValues(1)
    for number in range(500):
        frequent.count([f"={number}", "=often"])

    assert frequent.found() == (["=often"], True)
    assert len(frequent._seen) < 50
