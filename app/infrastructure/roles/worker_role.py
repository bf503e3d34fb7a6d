"""A worker: stores activities, writes the journal, publishes domain events, delivers webhooks."""

import asyncio
from contextlib import suppress

import structlog

from app.application.ports.system import LiveStateUnavailableError
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.processes.parent_watch import has_supervisor
from app.infrastructure.roles.background_tasks import run_with_background
from app.infrastructure.roles.open_role import open_role
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.history_checks import warn_of_days, warn_of_unused_history
from app.infrastructure.time_zones.zone_rules import ZONE_RULES

log = structlog.get_logger()


async def run_worker(settings: Settings) -> None:
    """Work off the queue and write the journal until told to end; then finish the batch in hand."""
    freeze_loaded_objects()
    async with open_role(settings, "worker") as container:
        stopping = asyncio.Event()
        log.info("worker runs", database=container.database().name, tzdata=ZONE_RULES)
        if not has_supervisor():
            await warn_of_unused_history(container)
            await warn_of_days(container)
        inbox, subscriptions = container.activity_inbox(), container.subscription_loops()
        try:
            loops = (
                container.journal_loop()(),
                container.type_loop()(),
                container.publish_loop()(),
                container.webhook_loop()(),
                *((container.verify_loop()(),) if settings.stats.verify_at else ()),
                *((container.expiry_loop()(),) if settings.activity.keep_days else ()),
                container.tally()(),
                container.announce_process()(),
                *(work for loop in subscriptions for work in (loop(), loop.report())),
            )
            await run_with_background(container.store_activities()(stopping), loops, stopping.set, settings)
        finally:
            with suppress(LiveStateUnavailableError):
                await inbox.aclose()
