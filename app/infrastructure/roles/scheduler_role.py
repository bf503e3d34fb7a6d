"""The scheduler: syncs providers in their rhythms."""

import asyncio

import structlog

from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.roles.background_tasks import run_with_background, until_cancelled
from app.infrastructure.roles.open_role import open_role
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.history_checks import restore_what_was_lost
from app.infrastructure.startup.mapping_warnings import warn_of_mappings
from app.infrastructure.startup.retiming import retime_at_the_start
from app.infrastructure.time_zones.zone_rules import ZONE_RULES

log = structlog.get_logger()


async def run_scheduler(settings: Settings) -> None:
    """Sync providers in their rhythms until told to end; then finish the syncs in hand."""
    freeze_loaded_objects()
    async with open_role(settings, "scheduler") as container:
        await restore_what_was_lost(container)
        enabled = [provider.name for provider in container.directory().all() if provider.enabled]
        log.info("scheduler runs", providers=enabled or "none: add one to config.yaml", tzdata=ZONE_RULES)
        for provider in container.directory().all():
            if provider.trouble:
                log.error("a provider cannot be used, the others can", provider=provider.name, reason=provider.trouble)
        warn_of_mappings(settings)
        schedule = asyncio.create_task(container.schedule()(settings.service.drain))
        background = (container.announce_process()(), retime_at_the_start(container.retime_plans()))
        await run_with_background(until_cancelled(schedule), background, schedule.cancel, settings)
