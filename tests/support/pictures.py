"""Take the pictures of the README (`make pictures`). The page is the real one, what it shows is made up.

The world's clock runs through an hour in a few seconds, so that the curve has one.
"""

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from uuid import UUID

from app.application.ports.catalog import ProviderState
from app.application.ports.system import CircuitState
from app.domain.activities import Activity
from app.domain.feeds import RejectionReason
from app.domain.plans import Plan
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.fakes.leases import MemoryLeases
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.support.builders import a_plan, a_zone
from tests.support.chromium import a_tab, chromium
from tests.support.dashboard_server import Dashboard, served
from tests.support.dashboard_world import DashboardWorld
from tests.support.fixed_clock import FixedClock
from tests.support.folded_once import FoldedOnce
from tests.support.scripted_provider import ScriptedProvider, configured

PICTURES = Path(__file__).parents[2] / "doc" / "pictures"
NOW = datetime(2026, 6, 18, 17, 42, 10, tzinfo=UTC)
"""A Thursday afternoon."""
DAYS = 30
HOUR = 3600
TYPES = {"view": 58, "click": 24, "search": 11, "share": 3, "cart.added": 2.5, "purchase": 1.4, "ticket.refunded": 0.1}
PRICED = {"purchase", "ticket.refunded"}
TITLES = (
    "Pantomima Full",
    "Camela en concierto",
    "Los Morancos",
    "Candlelight: Vivaldi, The Four Seasons",
    "Flamenco at midnight",
    "Jazz under the stars",
    "The Nutcracker",
    "Stand-up Thursday",
    "Guided night walk through the old town",
    "Monet by the sea",
)


def main() -> None:
    """Write the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    world = DashboardWorld(FixedClock(NOW - timedelta(seconds=HOUR)), FoldedOnce(UTC))
    world.watch.timeout = 60
    asyncio.run(fill(world, Random(7)))
    looks = {"light": {}, "dark": {"dark": True}, "phone": {"phone": True}}
    with served(Dashboard(world)) as service, chromium() as browser:
        for name, look in looks.items():
            with a_tab(browser, timezone_id="UTC", device_scale_factor=2 if name == "phone" else 1.5, **look) as tab:
                tab.page.goto(service.url)
                tab.until("#mode", "live")
                tab.until("#counted", " ")  # thousands are there
                tab.until("#revenue-readout", "yesterday")
                file = PICTURES / f"dashboard-{name}.png"
                tab.page.screenshot(path=file, full_page=name != "phone", animations="disabled")
                print(f"{file.relative_to(Path.cwd())}: {file.stat().st_size:,} bytes")  # noqa: T201 - a command


async def fill(world: DashboardWorld, chance: Random) -> None:
    """Let a month happen, and then an hour, second by second."""
    await world.history.store(list(the_month(chance)))
    world.plans(*the_plans(chance))
    for number in range(1, 6):
        await world.user(number)
    world.providers[:] = [configured(ScriptedProvider(), name=name) for name in ("palace", "riverside", "garden")]
    for second in range(HOUR):
        at = world.clock.now()
        crowd = 14 + 6 * math.sin(second / 500) + 26 * math.exp(-(((second - 2250) / 170) ** 2))
        came = [an_activity(chance, at, chance.randrange(90)) for _ in range(max(0, round(chance.gauss(crowd, 2.5))))]
        await world.happened(*came)
        await world.catalog.look()
        world.watch.sample()
        world.fixed_clock.move(1)
    await the_runs(world)
    await world.queue.append([an_activity(chance, NOW, 1) for _ in range(12)])
    await world.catalog.look()


def the_month(chance: Random) -> Iterator[Activity]:
    """Let users come first on some day, and come back less and less."""
    for user in range(3200):
        first = chance.randrange(DAYS)
        loyalty = chance.betavariate(1.2, 2.2)
        for later in range(DAYS - first):
            weekend = 1.5 if (NOW - timedelta(days=DAYS - 1 - first - later)).weekday() > 3 else 1
            if later == 0 or chance.random() < loyalty * 0.55 * weekend / (1 + later / 6):
                at = NOW - timedelta(days=DAYS - 1 - first - later, minutes=chance.randrange(1, 600))
                for _ in range(chance.randrange(1, 6)):
                    yield an_activity(chance, at, user)


def an_activity(chance: Random, at: datetime, user: int) -> Activity:
    """Make up what somebody did."""
    type_ = chance.choices(list(TYPES), list(TYPES.values()))[0]
    value = Decimal(chance.randrange(1200, 9500, 5)).scaleb(-2) if type_ in PRICED else None
    return Activity(UUID(int=chance.getrandbits(128), version=4), type_, at, user_id=f"user-{user}", value=value)


def the_plans(chance: Random) -> Iterator[Plan]:
    """Make up evenings around now, most of them at weekends."""
    for item in range(420):
        day = NOW + timedelta(days=round(chance.gauss(3, 9)))
        if day.weekday() < 3 and chance.random() < 0.5:
            day += timedelta(days=3)
        starts = day.replace(hour=chance.choice((12, 17, 18, 19, 20, 21, 22)), minute=chance.choice((0, 0, 30)))
        wall, until = (at.isoformat()[:16] for at in (starts, starts + timedelta(hours=2)))
        prices = sorted(chance.choices(("12.00", "18.50", "20.00", "25.00", "30.00", "45.00", "65.00"), k=2), key=float)
        zones = tuple(a_zone(str(number), price=price) for number, price in enumerate(prices))
        yield a_plan(item, title=chance.choice(TITLES), starts=wall, ends=until, zones=zones)


async def the_runs(world: DashboardWorld) -> None:
    """Let one provider fare well, one have its troubles, and one be held."""

    async def ran(provider: str, seconds_ago: float, outcome: SyncOutcome, records: int, reason: str | None) -> None:
        rejected = {next(iter(RejectionReason)): 2} if provider == "riverside" else {}
        report = SyncReport(
            run_id=f"{provider}-{seconds_ago:g}",
            provider=provider,
            started_at=NOW - timedelta(seconds=seconds_ago),
            took=0.2,
            outcome=outcome,
            records=records,
            changes={ChangeKind.CHANGED: 6} if outcome is SyncOutcome.APPLIED else {},
            rejected_for=rejected,
            reason=reason,
        )
        await world.journal.record(report)

    catalog, leases = MemoryPlanCatalog(world.store), MemoryLeases(world.store)
    for provider, seconds_ago in (("palace", 21), ("riverside", 3600), ("garden", 68)):
        async with leases.hold(provider) as lease:
            await catalog.remember(lease, ProviderState(snapshot_at=NOW - timedelta(seconds=seconds_ago)))
    for hours_ago in range(6):
        await ran("riverside", 3600.0 * (hours_ago + 1), SyncOutcome.APPLIED, 118, None)
    await ran("palace", 21, SyncOutcome.APPLIED, 284, None)
    await ran("riverside", 43, SyncOutcome.FAILED, 0, "https://riverside.example/events.xml answered 503, three times")
    await ran(
        "garden", 8, SyncOutcome.HELD, 9, "9 of 41 plans are left, which looks like an accident; waits for a second run"
    )
    await world.circuits.save("riverside", CircuitState("half-open", 5, NOW, "503"))


if __name__ == "__main__":
    main()
