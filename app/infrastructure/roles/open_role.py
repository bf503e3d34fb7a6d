"""What every role begins with: the startup checks that a supervisor makes once for its children, then the container."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from app.infrastructure.processes.head_start import head_start
from app.infrastructure.processes.parent_watch import has_supervisor
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.history_checks import warn_of_lonely_history
from app.infrastructure.startup.redis_warnings import warn_of_forgetful_redis
from app.infrastructure.wiring.container import Container
from app.infrastructure.wiring.open_container import open_container


@asynccontextmanager
async def open_role(settings: Settings, role: str, *, patience: float | None = None) -> AsyncIterator[Container]:
    """Open the container of a process of this role while the block runs; for `patience` see `open_container`.

    Raises:
        EmbeddedRedisError, ConfigurationError: see `open_container`.
    """
    if not has_supervisor():
        warn_of_lonely_history(settings)
    async with open_container(settings, role, patience=patience) as container:
        if has_supervisor():
            yield container
            return
        async with head_start(partial(warn_of_forgetful_redis, settings), patience):
            yield container
