"""What the stats must say, by definition: sets and loops over plain dicts, no code of the service.

An activity is `{"id", "type", "occurred_at" (aware), "user_id" (or None), "value" (a number as text, or None)}`. It may
have an "anonymous_id" and, from a publishable key, a "received_at" (aware).
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Context, Decimal, localcontext
from typing import Any

STATEMENTS = ("$identify", "$alias", "$group")


class Oracle:
    def __init__(self, activities: Iterable[Mapping[str, Any]], zone: tzinfo) -> None:
        first_of_each = {activity["id"]: activity for activity in reversed(list(activities))}
        everything = list(first_of_each.values())
        self.statements = [one for one in everything if one["type"] in STATEMENTS]
        self.activities = [one for one in everything if one["type"] not in STATEMENTS]
        self.zone = zone
        self.persons = self.linked()

    def linked(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Whom each id is one with; grown until nothing changes any more."""
        pairs = [(("user", a["user_id"]), ("user", a["anonymous_id"])) for a in self.said("$alias")]
        claims = defaultdict(list)
        for said in [*self.said("$identify"), *self.said("$alias")]:
            at = said.get("received_at") or said["occurred_at"]
            claims[said["anonymous_id"]].append((at, str(said["id"]), said["user_id"]))
        pairs += [(("user", min(all_)[2]), ("anonymous", name)) for name, all_ in claims.items()]
        persons = {name: {name} for pair in pairs for name in pair}
        for one, other in pairs:
            together = persons[one] | persons[other]
            for name in together:
                persons[name] = together
        return persons

    def said(self, type_: str) -> list[Mapping[str, Any]]:
        return [a for a in self.statements if a["type"] == type_ and a["user_id"] and a.get("anonymous_id")]

    def person(self, activity: Mapping[str, Any]) -> tuple[str, str] | None:
        name = None
        if activity["user_id"] is not None:
            name = ("user", activity["user_id"])
        elif activity.get("anonymous_id") is not None:
            name = ("anonymous", activity["anonymous_id"])
        return name and min(self.persons.get(name, {name}))

    def day(self, activity: Mapping[str, Any]) -> date:
        at: datetime = activity["occurred_at"]
        return at.astimezone(self.zone).date()

    def totals(self) -> list[dict[str, Any]]:
        values = defaultdict(list)
        for activity in self.activities:
            values[activity["type"]].append(Decimal(activity["value"] or 0))
        with localcontext(Context(prec=200)):
            return [{"type": name, "count": len(all_), "sum": sum(all_)} for name, all_ in sorted(values.items())]

    def by_day(self, type_: str, first: date, last: date) -> list[dict[str, Any]]:
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        values = {day: [Decimal(a["value"] or 0) for a in self.activities if self._is(a, type_, day)] for day in days}
        with localcontext(Context(prec=200)):
            return [{"date": day.isoformat(), "count": len(of), "sum": sum(of)} for day, of in values.items()]

    def _is(self, activity: Mapping[str, Any], type_: str, day: date) -> bool:
        return activity["type"] == type_ and self.day(activity) == day

    def dau(self, first: date, last: date) -> list[dict[str, Any]]:
        users = self.users_by_period("day")
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [{"date": day.isoformat(), "users": len(users.get(day, ()))} for day in days]

    def top(self, first: date, last: date, limit: int) -> list[dict[str, Any]]:
        counts = Counter(a["type"] for a in self.activities if first <= self.day(a) <= last)
        ranked = sorted(counts, key=lambda name: (-counts[name], name))
        return [{"type": name, "count": counts[name]} for name in ranked[:limit]]

    def plans(self, first: date, last: date, order: str) -> list[dict[str, Any]]:
        """Views and purchases of what names a plan by a UUID; by conversion those without a view come last."""
        found: dict[str, dict[str, Any]] = {}
        for activity in self.activities:
            properties = json.loads(activity.get("properties") or "{}")
            plan = str(properties.get("plan_id", properties.get("planId"))).lower()
            kind = {"view": "views", "page_view": "views", "purchase": "purchases"}.get(activity["type"])
            if kind is None or not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plan):
                continue
            if not first <= self.day(activity) <= last:
                continue
            figures = found.setdefault(plan, {"plan_id": plan, "views": 0, "purchases": 0, "sum": Decimal()})
            figures[kind] += 1
            if kind == "purchases":
                figures["sum"] += Decimal(activity["value"] or 0)

        def rank(one: Mapping[str, Any]) -> float:
            if order != "conversion":
                return float(one[order])
            return one["purchases"] / one["views"] if one["views"] else -1.0

        return sorted(found.values(), key=lambda one: (-rank(one), one["plan_id"]))

    def retention(self, start: date, windows: int, granularity: str, today: date, type_: str = "") -> dict[str, Any]:
        users, periods = self.users_by_period(granularity, type_), Periods(granularity)
        seen_before: set[tuple[str, str]] = set()
        newcomers: dict[date, set[tuple[str, str]]] = {}
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

    def by_value(self, dimension: str, type_: str = "") -> dict[tuple[str | None, int], tuple[int, Decimal]]:
        """Count and sum of each value on each day; the day is a number since 1970."""
        values = defaultdict(list)
        for activity in self.activities:
            if type_ in ("", activity["type"]):
                name = dimension.removeprefix("properties.")
                found = activity["source"] if dimension == "source" else activity["properties"].get(name)
                values[found, self.number(activity)].append(Decimal(activity["value"] or 0))
        return {key: _total(all_) for key, all_ in values.items()}

    def days(self, type_: str = "") -> dict[int, tuple[int, Decimal]]:
        values = defaultdict(list)
        for activity in self.activities:
            if type_ in ("", activity["type"]):
                values[self.number(activity)].append(Decimal(activity["value"] or 0))
        return {day: _total(all_) for day, all_ in values.items()}

    def number(self, activity: Mapping[str, Any]) -> int:
        return (self.day(activity) - date(1970, 1, 1)).days

    def funnel(self, steps: list[str], within: timedelta, first: date, last: date) -> list[dict[str, Any]]:
        done = defaultdict(list)
        for activity in self.activities:
            if (person := self.person(activity)) is not None:
                done[person].append(activity)
        furthest = [
            max(
                (
                    self.steps_from(begin, steps[1:], own, begin["occurred_at"] + within)
                    for begin in own
                    if begin["type"] == steps[0] and first <= self.day(begin) <= last
                ),
                default=0,
            )
            for own in done.values()
        ]
        return [
            {"step": n, "type": type_, "users": sum(reached >= n for reached in furthest)}
            for n, type_ in enumerate(steps, 1)
        ]

    def steps_from(
        self, activity: Mapping[str, Any], steps: list[str], own: list[Mapping[str, Any]], until: datetime
    ) -> int:
        """How many steps are reached, that of `activity` included: every way is tried."""
        at = activity["occurred_at"]
        following = [a for a in own if steps and a["type"] == steps[0] and at < a["occurred_at"] <= until]
        return 1 + max((self.steps_from(a, steps[1:], own, until) for a in following), default=0)

    def users_by_period(self, granularity: str, type_: str = "") -> dict[date, set[tuple[str, str]]]:
        users = defaultdict(set)
        for activity in self.activities:
            if (person := self.person(activity)) is not None and type_ in ("", activity["type"]):
                users[Periods(granularity).begin(self.day(activity))].add(person)
        return dict(users)


def _total(values: list[Decimal]) -> tuple[int, Decimal]:
    with localcontext(Context(prec=200)):
        return len(values), sum(values, Decimal())


class Periods:
    def __init__(self, granularity: str) -> None:
        self.granularity = granularity

    def begin(self, day: date) -> date:
        if self.granularity == "month":
            return day.replace(day=1)
        return day if self.granularity == "day" else day - timedelta(days=day.isoweekday() - 1)

    def later(self, period: date, count: int) -> date:
        if self.granularity == "month":
            months = period.year * 12 + period.month - 1 + count
            return date(months // 12, months % 12 + 1, 1)
        return period + timedelta(days={"day": 1, "week": 7}[self.granularity] * count)
