"""What the questions to the stats need, over HTTP and in the terminal alike."""

from dataclasses import dataclass

from app.application.ask_funnel import AskFunnel
from app.application.ports.activities import StatsKeeper
from app.application.read_plan_stats import PlanByDay, PlansByFigures, WhatSells
from app.application.read_series import Series, SeriesByDimension, TotalInRange, TotalsOfRange
from app.application.read_stats import DailyActiveUsers, PageOfTotals, Retention, TopTypes, TotalOfType


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsUseCases:
    """The use cases; the port itself where a question decides nothing."""

    keeper: StatsKeeper
    page_of_totals: PageOfTotals
    total_of_type: TotalOfType
    daily_active_users: DailyActiveUsers
    top_types: TopTypes
    retention: Retention
    ask_funnel: AskFunnel
    series: Series
    series_by_dimension: SeriesByDimension
    totals_of_range: TotalsOfRange
    total_in_range: TotalInRange
    plans_by_figures: PlansByFigures
    plan_by_day: PlanByDay
    what_sells: WhatSells
