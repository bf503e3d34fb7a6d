"""How the edge says stats and activities: plain values, for HTTP and `--json`, where Decimals become numbers.

The models say the same to /openapi.json; they are not used for making answers, of which there may be a thousand.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from app.adapters.inbound.answering.answers import instant
from app.application.import_activities import ImportReport
from app.application.ports.activities import DeadLetter, Difference
from app.application.ports.imports import Import
from app.application.read_plan_stats import RankedPlan
from app.application.read_series import SeriesQuestion, ValueSeries
from app.domain.activities import Activity
from app.domain.funnels import FunnelStep
from app.domain.plan_totals import PlanDay
from app.domain.series import Interval, Metric, Point
from app.domain.stats import Cohort, DailyUsers, Granularity, TypeCount, TypeTotal


class TypeCountAnswer(BaseModel):
    """How often a type occurred in a range of days."""

    type: str
    count: int


class TotalAnswer(TypeCountAnswer):
    """How often a type occurred, and the sum of its values."""

    sum: float = Field(description="A number with the digits that went in")


class DailyUsersAnswer(BaseModel):
    """How many users were active on a day."""

    date: date
    users: int


class PointAnswer(BaseModel):
    """The figure of one period, under the name of the metric."""

    start: str = Field(description="The period's first day; of an hour its beginning, with the offset of the zone")
    count: int | None = Field(None, description="How many activities")
    sum: float | None = Field(None, description="Of their values: a number with the digits that went in")
    users: int | None = Field(None, description="How many users, each once")


class ValueAnswer(BaseModel):
    """A figure for every period, of the activities with one value of a dimension."""

    value: str | None = Field(description="null: they have none, or are the others")
    other: bool = Field(description="All values together for which there was no room")
    points: list[PointAnswer]


class SeriesAnswer(BaseModel):
    """A figure for every period of a range."""

    metric: Metric
    interval: Interval
    type: str | None = Field(description="The type of activity; null: all types together")
    points: list[PointAnswer] | None = Field(None, description="Without a dimension")
    dimension: str | None = Field(None, description="Where one was asked for")
    values: list[ValueAnswer] | None = Field(None, description="Of the dimension, those with most activities first")


class PeriodCohortAnswer(BaseModel):
    """Who came first in a period, and who of them was active later."""

    start: date
    size: int
    active: list[int | None] = Field(description="Of them, in each period from their own on; null: not yet")


class CohortsAnswer(BaseModel):
    """A cohort a period."""

    granularity: Granularity
    type: str | None = Field(None, description="First and later active with this type; null: with any")
    cohorts: list[PeriodCohortAnswer]


class PlanFiguresAnswer(BaseModel):
    """How often a plan was looked at and bought in a range of days."""

    plan_id: UUID
    title: str | None = Field(description="Null: neither the catalog nor the journal of plans knows it")
    views: int
    purchases: int
    sum: float = Field(description="Of the values of its purchases: a number with the digits that went in")
    conversion: float | None = Field(description="Purchases over views; null: it was never looked at")


class PlanDayAnswer(BaseModel):
    """How often a plan was looked at and bought on a day."""

    date: date
    views: int
    purchases: int
    sum: float = Field(description="Of the values of its purchases: a number with the digits that went in")


def plan_figures_answer(ranked: RankedPlan) -> dict[str, Any]:
    """How often a plan was looked at and bought."""
    found = ranked.figures
    return {
        "plan_id": found.plan_id,
        "title": ranked.title,
        "views": found.views,
        "purchases": found.purchases,
        "sum": found.sum,
        "conversion": found.conversion,
    }


def plan_day_answer(day: PlanDay) -> dict[str, Any]:
    """The same of a day."""
    return {"date": day.date, "views": day.views, "purchases": day.purchases, "sum": day.sum}


class FunnelStepAnswer(BaseModel):
    """How many users came at least to a step."""

    step: int = Field(description="From 1 on")
    type: str
    users: int = Field(description="Who came at least so far")


def funnel_step_answer(step: FunnelStep) -> dict[str, Any]:
    """How many users came at least to a step."""
    return step._asdict()


def total_answer(total: TypeTotal) -> dict[str, Any]:
    """How often a type occurred, and the sum of its values."""
    return {"type": total.type, "count": total.count, "sum": total.sum}


def daily_users_answer(day: DailyUsers) -> dict[str, Any]:
    """How many users were active on a day."""
    return {"date": day.date.isoformat(), "users": day.users}


def series_answer(asked: SeriesQuestion, points: Sequence[Point]) -> dict[str, Any]:
    """A figure for every period."""
    return {**_asked(asked), "points": _points(asked, points)}


def dimension_answer(asked: SeriesQuestion, dimension: str, found: Sequence[ValueSeries]) -> dict[str, Any]:
    """The same for each value of a dimension."""
    values = [
        {"value": one.value.text, "other": one.value.is_other, "points": _points(asked, one.points)} for one in found
    ]
    return {**_asked(asked), "dimension": dimension, "values": values}


def _asked(asked: SeriesQuestion) -> dict[str, Any]:
    return {"metric": asked.metric, "interval": asked.interval, "type": asked.type or None}


def _points(asked: SeriesQuestion, points: Sequence[Point]) -> list[dict[str, Any]]:
    return [{"start": point.start.isoformat(), asked.metric.value: point.figure} for point in points]


def type_count_answer(found: TypeCount) -> dict[str, Any]:
    """How often a type occurred in a range."""
    return {"type": found.type, "count": found.count}


def retention_answer(granularity: Granularity, cohorts: Sequence[Cohort], type_: str = "") -> dict[str, Any]:
    """A cohort a period; the type is named where one was asked for."""
    rows = [{"start": row.start.isoformat(), "size": row.size, "active": list(row.active)} for row in cohorts]
    return {"granularity": granularity, **({"type": type_} if type_ else {}), "cohorts": rows}


def difference_answer(found: Difference | None, since: date | None = None) -> dict[str, Any]:
    """Whether rollups and activities agree, and where they do not first; None: all days were compared."""
    told = found and {"figure": found.rollup, "kept": found.kept, "folded": found.folded}
    return {"agree": found is None, "difference": told, "from": None if since is None else since.isoformat()}


def dead_letter_answer(letter: DeadLetter) -> dict[str, Any]:
    """What could not be stored, and why."""
    return {
        "id": letter.letter_id,
        "buried_at": instant(letter.buried_at),
        "reason": letter.reason,
        "activities": [activity_answer(activity) for activity in letter.activities],
        "source": letter.source,
    }


def activity_answer(activity: Activity) -> dict[str, Any]:
    """One activity, in canonical names."""
    return {
        "id": str(activity.activity_id),
        "type": activity.type,
        "source": activity.source,
        "occurred_at": instant(activity.occurred_at),
        "user_id": activity.user_id,
        "value": activity.value,
        "properties": None if activity.properties is None else msgspec.Raw(activity.properties.encode()),
    }


def imported_answer(one: Import) -> dict[str, Any]:
    """What an import was, and what it has stored."""
    return {
        "id": one.import_id,
        "file": one.file,
        "reading": one.reading,
        "begun_at": instant(one.begun_at),
        "ended_at": None if one.ended_at is None else instant(one.ended_at),
        "state": one.state.value,
        "rows": one.rows,
        "stored": one.stored,
    }


class ImportSummary(NamedTuple):
    """An import, as its user sees it."""

    report: ImportReport
    seconds: float
    ignored: Sequence[str]
    """Columns that were no field."""
    rejects: str
    """Where the rejected rows are, if there are any."""
    left_out: int
    """How many of them are not there, because it would have become too long."""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.report.rows / max(self.seconds, 1e-3)


def import_answer(summary: ImportSummary) -> dict[str, Any]:
    """What an import did."""
    report = summary.report
    return {
        "import": report.import_id,
        "rows": report.rows,
        "stored": report.stored,
        "duplicates": report.duplicates,
        "rejected": report.rejected,
        "rejected_for": dict(report.rejected_for.most_common()),
        "rejects": summary.rejects if report.rejected else None,
        "rejects_left_out": summary.left_out,
        "ignored_columns": list(summary.ignored),
        "continued_after": report.continued_after,
        "seconds": round(summary.seconds, 3),
        "rows_per_second": round(summary.rate),
        "trouble": report.trouble,
    }
