"""What commands work on: a part of the container, open for as long as one runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from app.infrastructure.commands.command_settings import chosen_settings, is_new_installation, tell_new_installation


def part_opener(part: str, *, live_state: bool = True) -> Callable[[], AbstractAsyncContextManager[Any]]:
    """Make what opens a part of the container, named as there; without `live_state` it needs no Redis."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        from app.infrastructure.observability.logging import configure_logging
        from app.infrastructure.processes.early_signals import ended_by_signals
        from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
        from app.infrastructure.wiring.open_container import open_container
        from app.infrastructure.wiring.provider_directory import check_providers

        settings = chosen_settings()
        check_providers(settings)
        configure_logging(settings.logging.model_copy(update={"level": "warning"}), "cli")
        freeze_loaded_objects()
        is_new = is_new_installation(settings)
        with ended_by_signals():
            async with open_container(settings, "cli", live_state=live_state) as container:
                if is_new:
                    tell_new_installation(settings)
                yield getattr(container, part)()

    return opened
