"""The made-up plans that a measured catalog holds, and the windows that it is asked for: the same in every run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from app.domain.plans import Plan, PlanKey, SellMode, Zone
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange

FIRST_START = datetime(2021, 1, 1)  # noqa: DTZ001 - a provider's wall clock
SECONDS_PER_PLAN = 360
"""Ten plans an hour, in a catalog of any size: a larger one reaches further into the future."""
PLANS_PER_ANSWER = 20
PROVIDERS = ("bench-1", "bench-2")
"""Who sells the plans, half each; two, so that two processes can write them."""
SEEN_AT = datetime(2020, 12, 1, tzinfo=UTC)


class Kind(NamedTuple):
    """Plans of similar length; durations are minutes, from `shortest` to `longest` in steps."""

    name: str
    share: float
    shortest: int
    longest: int
    step: int

    def duration(self, random: Random) -> int:
        """Choose one, in seconds."""
        return random.randrange(self.shortest, self.longest + 1, self.step) * 60


MIX = (
    Kind("an evening of 1-3 h", 0.84, 60, 180, 15),
    Kind("a day of 6-24 h", 0.08, 360, 1440, 60),
    Kind("2 days to 4 weeks", 0.06, 2880, 40320, 1440),
    Kind("zero length", 0.02, 0, 0, 1),
)


def span_of(plans: int) -> int:
    """Tell over how many seconds the starts of that many plans are spread."""
    return plans * SECONDS_PER_PLAN


def changes(provider: str, plans: int) -> Iterator[PlanChange]:
    """List the plans that a provider has in a catalog of `plans`."""
    random = Random(f"{provider} {plans}")
    kinds = random.choices(MIX, [kind.share for kind in MIX], k=plans // len(PROVIDERS))
    for number, kind in enumerate(kinds):
        starts = FIRST_START + timedelta(seconds=random.randrange(span_of(plans)) // 300 * 300)
        yield _listed(_plan(PlanKey(provider, str(number // 2), str(number)), starts, kind.duration(random), random))


def _plan(key: PlanKey, starts: datetime, duration: int, random: Random) -> Plan:
    zones = (
        Zone("1", random.randrange(300), Decimal(random.randrange(1000, 5000, 50)) / 100, "Platea", numbered=True),
        Zone("2", random.randrange(300), Decimal(random.randrange(5000, 9000, 50)) / 100, "Grada", numbered=False),
    )
    return Plan(
        key=key,
        title=f"Concert number {key.item_id} of the season",
        sell_mode=SellMode.ONLINE,
        starts=starts,
        ends=starts + timedelta(seconds=duration),
        sell_from=starts - timedelta(days=60),
        sell_to=starts,
        zones=zones[: random.randint(1, 2)],
    )


def _listed(plan: Plan) -> PlanChange:
    digest = blake2b(plan.title.encode(), digest_size=16).digest()
    known = KnownPlan(digest, plan.key.base_id, plan.sell_mode, in_feed=True, seen_online=True, first_seen_at=SEEN_AT)
    return PlanChange(plan.plan_id, (ChangeKind.LISTED,), known, plan)


def window_width(answer: float = PLANS_PER_ANSWER) -> int:
    """Tell how wide, in seconds, a window must be to hold `answer` plans on average, as the mix has it."""
    random = Random(1)
    kinds = random.choices(MIX, [kind.share for kind in MIX], k=20_000)
    durations = [kind.duration(random) for kind in kinds]
    low, high = 0, 7 * 86400
    while high - low > 1:
        width = (low + high) // 2
        held = sum(max(0, width - duration) for duration in durations) / len(durations) / SECONDS_PER_PLAN
        low, high = (width, high) if held < answer else (low, width)
    return high


def queries(plans: int, width: int, count: int, seed: int) -> list[bytes]:
    """Make the query strings of `count` distinct windows over a catalog of `plans`."""
    offsets = Random(seed).sample(range(span_of(plans)), count)
    starts = (FIRST_START + timedelta(seconds=offset) for offset in offsets)
    return [
        f"starts_at={start.isoformat()}Z&ends_at={(start + timedelta(seconds=width)).isoformat()}Z".encode()
        for start in starts
    ]
