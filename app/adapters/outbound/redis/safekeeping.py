"""Whether a server keeps what it is given: what it says of evicting and of its disk."""

from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from app.adapters.outbound.redis.connection import RedisClient
from app.application.ports.system import LiveStateUnavailableError


@dataclass(frozen=True, slots=True)
class Weakness:
    """How a server may lose what it holds, and what its operator sets against it."""

    reason: str
    remedy: str


async def weaknesses(client: RedisClient) -> tuple[Weakness, ...]:
    """Ask a server, or one node of a cluster, for what endangers its data; nothing is what it does not tell.

    Managed servers that forbid CONFIG tell by INFO whether they evict, and nothing of their snapshots.

    Raises:
        LiveStateUnavailableError: it does not serve us.
    """
    memory = await _ask(client, "CONFIG GET", "maxmemory*") or await _ask(client, "INFO", "memory")
    saving = {**await _ask(client, "CONFIG GET", "appendonly"), **await _ask(client, "CONFIG GET", "save")}
    return tuple(weakness for weakness in (_evicts(memory), _forgets(saving)) if weakness)


def _evicts(memory: dict[str, Any]) -> Weakness | None:
    policy = memory.get("maxmemory-policy", memory.get("maxmemory_policy", "noeviction"))
    limit = int(memory.get("maxmemory", 0))
    if policy == "noeviction" or not limit:
        return None
    reason = f"it drops keys once it holds {limit} bytes (maxmemory-policy {policy})"
    return Weakness(reason, "set maxmemory-policy to noeviction, and maxmemory to what the backlog needs")


def _forgets(saving: dict[str, Any]) -> Weakness | None:
    if saving.get("appendonly") != "no" or saving.get("save") != "":
        return None
    return Weakness("it keeps nothing on its disk (appendonly no, no save)", "set appendonly to yes")


async def _ask(client: RedisClient, command: str, about: str) -> dict[str, Any]:
    """Ask for a table; empty when the server does not know or does not allow the command."""
    try:
        answer = await client.command(command, about)
    except ResponseError:
        return {}
    except LiveStateUnavailableError as error:
        if isinstance(error.__cause__, ResponseError) and "no permissions" in str(error.__cause__):
            return {}
        raise
    return dict(answer)
