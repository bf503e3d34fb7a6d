"""An indexer without a catalog: turn by turn it changes the same plans and writes the index file in DATA, for ever.

It goes on where the file stands, and says each turn that is written.
"""

import asyncio
import sys
from pathlib import Path

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.mapped_index_file import MappedIndexFile
from app.application.ports.catalog import LogPosition
from app.domain.plans import searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import a_plan

PROVIDER = "acme"
CHANGING, PLANS = 50, 5_000


def changed(turn: int) -> list[str]:
    """Say what the titles of the plans that change are in a turn."""
    return [f"Turn {turn}"] * CHANGING


async def main(data_dir: Path) -> None:
    index = LiveIndex(RENDERING)
    file = MappedIndexFile(index, RENDERING, SystemClock(), data_dir)
    at = await file.renew({}) or {}
    turn = at[PROVIDER].sequence if at else 0
    if not at:
        index.put([searchable(a_plan(item, title="Still")) for item in range(CHANGING, PLANS)])
    while True:
        turn += 1
        index.put([searchable(a_plan(item, title=title)) for item, title in enumerate(changed(turn))])
        at = {PROVIDER: LogPosition(1, turn)}
        await file.write(at)
        await file.renew(at)
        sys.stdout.write(f"{turn}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
