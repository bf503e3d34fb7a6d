"""What every role begins with: the startup checks that a supervisor makes once for its children, then the container."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.infrastructure.processes.parent_watch import has_supervisor
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.history_checks import warn_of_lonely_history
from app.infrastructure.startup.redis_warnings import warn_of_forgetful_redis
from app.infrastructure.wiring.container import Container
from app.infrastructure.wiring.open_container import open_container


@asynccontextmanager
async def open_role(settings: Settings, role: str) -> AsyncIterator[Container]:
    """Open the container of a process of this role while the block runs.

    Raises:
        EmbeddedRedisError, ConfigurationError: see `open_container`.
    """
    if not has_supervisor():
        warn_of_lonely_history(settings)
    async with open_container(settings, role) as container:
        if not has_supervisor():
            await warn_of_forgetful_redis(settings)
        yield container
