"""What the stats must say, by definition: sets and loops over plain dicts, no code of the service.

An activity is `{"id", "type", "occurred_at" (aware), "user_id" (or None), "value" (a number as text, or None)}`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Context, Decimal, localcontext
from typing import Any


class Oracle:
    def __init__(self, activities: Iterable[Mapping[str, Any]], zone: tzinfo) -> None:
        first_of_each = {activity["id"]: activity for activity in reversed(list(activities))}
        self.activities = list(first_of_each.values())
        self.zone = zone

    def day(self, activity: Mapping[str, Any]) -> date:
        at: datetime = activity["occurred_at"]
        return at.astimezone(self.zone).date()

    def totals(self) -> list[dict[str, Any]]:
        values = defaultdict(list)
        for activity in self.activities:
            values[activity["type"]].append(Decimal(activity["value"] or 0))
        with localcontext(Context(prec=200)):
            return [{"type": name, "count": len(all_), "sum": sum(all_)} for name, all_ in sorted(values.items())]

    def dau(self, first: date, last: date) -> list[dict[str, Any]]:
        users = self.users_by_period("day")
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [{"date": day.isoformat(), "users": len(users.get(day, ()))} for day in days]

    def top(self, first: date, last: date, limit: int) -> list[dict[str, Any]]:
        counts = Counter(a["type"] for a in self.activities if first <= self.day(a) <= last)
        ranked = sorted(counts, key=lambda name: (-counts[name], name))
        return [{"type": name, "count": counts[name]} for name in ranked[:limit]]

    def retention(self, start: date, windows: int, granularity: str, today: date) -> dict[str, Any]:
        users, periods = self.users_by_period(granularity), Periods(granularity)
        seen_before: set[str] = set()
        newcomers: dict[date, set[str]] = {}
        for period in sorted(users):
            newcomers[period] = users[period] - seen_before
            seen_before |= users[period]
        cohorts = []
        for n in range(windows):
            cohort = periods.later(periods.begin(start), n)
            new = newcomers.get(cohort, set())
            cells = [
                (periods.later(cohort, m), len(new & users.get(periods.later(cohort, m), set())))
                for m in range(windows)
            ]
            active = [count if period < periods.begin(today) else None for period, count in cells]
            cohorts.append({"start": cohort.isoformat(), "size": len(new), "active": active})
        return {"granularity": granularity, "cohorts": cohorts}

    def users_by_period(self, granularity: str) -> dict[date, set[str]]:
        users = defaultdict(set)
        for activity in self.activities:
            if activity["user_id"] is not None:
                users[Periods(granularity).begin(self.day(activity))].add(activity["user_id"])
        return dict(users)


class Periods:
    def __init__(self, granularity: str) -> None:
        self.days = {"day": 1, "week": 7}[granularity]

    def begin(self, day: date) -> date:
        return day if self.days == 1 else day - timedelta(days=day.isoweekday() - 1)

    def later(self, period: date, count: int) -> date:
        return period + timedelta(days=self.days * count)
