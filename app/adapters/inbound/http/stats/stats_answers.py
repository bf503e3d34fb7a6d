"""What the stats' routes answer, for /openapi.json; `answering/stats_answers.py` makes it."""

from datetime import date

from pydantic import BaseModel, Field

from app.domain.stats import Granularity


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


class PeriodCohortAnswer(BaseModel):
    """Who came first in a period, and who of them was active later."""

    start: date
    size: int
    active: list[int | None] = Field(description="Of them, in each period from their own on; null: not yet")


class CohortsAnswer(BaseModel):
    """A cohort a period."""

    granularity: Granularity
    cohorts: list[PeriodCohortAnswer]
