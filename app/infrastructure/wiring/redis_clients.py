"""How clients of Redis are to be made, by the settings."""

from app.adapters.outbound.redis.failures import COMES_BACK, START_IT
from app.infrastructure.settings.settings import Settings

BLOCK = 1.0
"""Seconds that a blocking read of Redis waits at the most."""


def remedy(settings: Settings) -> str:
    """Say what is to be done about a Redis that is away."""
    return COMES_BACK if settings.redis.url == "embedded" else START_IT


def blocking_timeout(settings: Settings) -> float:
    """Give a connection whose reads block as long for an answer as the others have, beyond that."""
    return settings.redis.timeout + BLOCK
