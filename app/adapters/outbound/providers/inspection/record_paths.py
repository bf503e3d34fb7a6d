"""Which nodes are the records: those that tell when something begins, as deep as that is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log10, sqrt

from app.adapters.outbound.providers.inspection.choices import Choices, ZoneChoices, choose, zones_of
from app.adapters.outbound.providers.inspection.columns import Group, Names, Record, columns_of, records_at
from app.adapters.outbound.providers.inspection.facts import Facts
from app.adapters.outbound.providers.inspection.nodes import Node

MOST_GROUPS = 400
MOST_JUDGED = 60
"""Records that are looked at to judge a path; more of them once one was chosen."""

_NAMED = 0.6
"""How sure a name says what it says of records below a day, and of what stands around them."""
_BELOW_ITS_DAY = 0.6
_A_DAY_WITH_SEVERAL = 0.4
"""What such paths lose, as long as nothing tells more of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPath:
    """Records, and what was chosen for their fields."""

    group: Group
    choices: Choices
    facts: Sequence[Facts]
    score: float

    @property
    def has_own_start(self) -> bool:
        """Whether the records themselves tell when they begin, not what stands around them."""
        return bool(self.choices.starts and self.choices.starts.columns[0].column.place.up == 0)


def record_paths(root: Node, groups: dict[Names, Group], timezone: str | None) -> list[RecordPath]:
    """List the paths at which there may be records, the likeliest first; empty when nothing tells when it begins."""
    found = []
    for names, group in list(groups.items())[:MOST_GROUPS]:
        if len(names) > 1 and (group.is_branch or group.most > 1 or group.listed):
            facts = _facts(root, names, timezone, MOST_JUDGED)
            choices = choose(facts) if facts else Choices()
            score = _score(group, choices, facts)
            if score > 0:
                found.append(RecordPath(group=group, choices=choices, facts=facts, score=score))
    return sorted(found, key=lambda one: -one.score)


def in_full(root: Node, path: RecordPath, groups: dict[Names, Group], timezone: str | None) -> RecordPath:
    """Look at more records of a path, and at parts of them with prices of their own.

    Where these tell no start, such as plans of which the drafts alone have one, what was chosen before stays.
    """
    records = records_at(root, path.group.names)
    chosen = _chosen(path, facts_of(records, path.group.names, timezone), None)
    if rows := chosen.choices.rows_of_plans():
        facts = facts_of([records[row] for row in rows], path.group.names, timezone)
        chosen = _chosen(chosen, facts, chosen.choices)
    chosen.choices.zones = _zones(root, path.group.names, groups)
    return chosen


def _chosen(path: RecordPath, facts: Sequence[Facts], before: Choices | None) -> RecordPath:
    """Choose anew by these facts; nothing changes when they tell no start."""
    choices = choose(facts, before)
    return replace(path, choices=choices, facts=facts) if choices.starts else path


def _facts(root: Node, names: Names, timezone: str | None, limit: int = 500) -> list[Facts]:
    return facts_of(records_at(root, names, limit), names, timezone)


def facts_of(records: list[Record], names: Names, timezone: str | None) -> list[Facts]:
    """Tell what the columns of these records are, which stand at a path of names."""
    columns = columns_of(records)
    return [Facts(column, timezone, names[: len(names) - column.place.up]) for column in columns]


def _score(group: Group, choices: Choices, facts: Sequence[Facts]) -> float:
    start = choices.starts
    if start is None:
        return 0.0
    title = choices.fields.get("title")
    is_day_above = start.columns[0].column.place.up > 0 and start.time_of_day is None
    if is_day_above and (title is None or title.certainty < _NAMED or _stands_in_a_record(facts)):
        return 0.0
    score = 3 * start.certainty * sqrt(start.columns[0].column.share)
    if title:
        score += 1.5 * title.certainty
    score += 0.5 * ("item_id" in choices.fields) + 0.4 * (choices.ends is not None) + 0.2 * ("price" in choices.fields)
    score += 0.25 * min(log10(group.count + 1), 3)
    if is_day_above:
        score *= _BELOW_ITS_DAY
    elif title and title.facts.is_listed and "item_id" not in choices.fields:
        score *= _A_DAY_WITH_SEVERAL
    return score if group.most > 1 or group.listed else 0.3 * score


def _stands_in_a_record(facts: Sequence[Facts]) -> bool:
    """Whether what stands around has an id or a title, and so is more than a day."""
    around = [one for one in facts if one.column.place.up == 1]
    return any(one.called("id") >= _NAMED or one.called("title") >= _NAMED for one in around)


def _zones(root: Node, names: Names, groups: dict[Names, Group]) -> ZoneChoices | None:
    """Find parts with prices that a record has several of."""
    for below, group in groups.items():
        if (
            len(below) > len(names)
            and below[: len(names)] == names
            and (group.most > 1 or group.listed)
            and group.is_branch
        ):
            facts = _facts(root, below, None)
            if found := zones_of(facts, below[len(names) :]):
                return found
    return None
