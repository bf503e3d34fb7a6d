"""The startup check of a Redis server that is not ours: whether it keeps what it is given."""

import asyncio

import structlog

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.safekeeping import Weakness, weaknesses
from app.application.ports.system import LiveStateUnavailableError
from app.infrastructure.settings.settings import Settings

log = structlog.get_logger()


async def warn_of_forgetful_redis(settings: Settings) -> None:
    """Say in one line that the server of `redis.url` may drop or forget what it is given, and what is to be set there.

    A server that is away is asked at the next start.
    """
    if settings.redis.url == "embedded":
        return
    if found := await _weaknesses(settings):
        log.warning(
            "redis may lose plans, and activities that were answered 202",
            because="; ".join(weakness.reason for weakness in found),
            remedy="; ".join(weakness.remedy for weakness in found),
        )


async def _weaknesses(settings: Settings) -> tuple[Weakness, ...]:
    try:
        client = connect(settings.redis.url, timeout=settings.redis.timeout)
    except ValueError:  # told by who needs it
        return ()
    try:
        async with asyncio.timeout(settings.redis.timeout):
            return await weaknesses(client)
    except (LiveStateUnavailableError, TimeoutError) as error:
        log.debug("whether redis keeps its data cannot be told now", reason=str(error))
        return ()
    finally:
        await client.aclose()
