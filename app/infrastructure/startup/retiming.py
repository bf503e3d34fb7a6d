"""What a scheduler does about time zone rules that changed since the last start."""

import asyncio

from app.application.ports.system import LiveStateUnavailableError
from app.application.retime_plans import RetimePlans
from app.infrastructure.wiring.trouble_log import log_retimed

RETRY_STORE = 1.0
"""Seconds before a store that was away is asked again."""


async def retime_at_the_start(retime: RetimePlans) -> None:
    """See to every provider once, also to those that nobody syncs any more; whose plans newer rules timed is told."""
    while True:
        try:
            done = await retime()
        except LiveStateUnavailableError:
            await asyncio.sleep(RETRY_STORE)
            continue
        for found in done:
            if found.newer:
                log_retimed(found)
        return
