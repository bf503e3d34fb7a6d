"""What redis-py raises when Redis does not serve, told as the ports want it: away, with an advice."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from redis import exceptions

from app.application.ports.system import LiveStateUnavailableError

# Replies that pass by themselves or that an operator can end; inside a script 6.2 wraps them in a longer sentence.
_REFUSALS: Mapping[str, str] = {
    "MISCONF": "it cannot save to disk; free space on its disk and look into its log",
    "OOM": "its memory is full; raise its maxmemory or free memory",
    "READONLY": "it is a replica and takes no writes; point redis.url at the primary",
    "LOADING": "it is still loading its data; try again in a moment",
    "BUSY": "a script has kept it busy for too long; try again in a moment",
    "NOREPLICAS": "it has too few replicas to take writes; start them",
    "MASTERDOWN": "it has lost its primary; start the primary or let a replica take over",
    "CLUSTERDOWN": "the cluster is down; start its missing nodes",
    "TRYAGAIN": "the cluster is moving these keys; try again in a moment",
    "instance state changed": "it has become a replica; try again in a moment",
}
START_IT = "start it, or correct redis.url"
COMES_BACK = "`marquee run` starts it again; if it does not, its log says why"
"""Of the embedded one."""
_REFUSAL = re.compile(rf"\b({'|'.join(_REFUSALS)})\b")
_CODES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "BusyLoadingError": "LOADING",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "TryAgainError": "TRYAGAIN",
}


class TooFewReplicasError(exceptions.RedisError):
    """The write was done, but not enough replicas said in time that they have it."""


@contextmanager
def refusals_told(name: str, remedy: str = START_IT) -> Iterator[None]:
    """Turn what redis-py raises when Redis does not serve into a LiveStateUnavailableError with an advice.

    Anything else (a wrong type of key, a script that fails) is a bug and passes unchanged.
    """
    try:
        yield
    except (exceptions.RedisError, OSError) as error:
        advice = _advice(_innermost(error), remedy)
        if advice is None:
            raise
        raise LiveStateUnavailableError(f"Redis at {name} {advice}") from error


def doubted(error: exceptions.RedisError | OSError, suspicion: str) -> exceptions.RedisError | OSError:
    """Say what it may mean that a server refuses to say where the others are."""
    plain = isinstance(error, exceptions.ResponseError) and _advice(error, "") is None
    return exceptions.ConnectionError(f"{suspicion}: {error}") if plain else error


def _innermost(error: BaseException) -> BaseException:
    """Unwrap: while a connection is made, redis-py hides what really happened inside a ConnectionError."""
    while type(error) is exceptions.ConnectionError and isinstance(error.__cause__, exceptions.RedisError | OSError):
        error = error.__cause__
    return error


def refusal_advice(reply: str) -> str | None:
    """Say what an error reply means that passes, or that an operator can end; None for any other."""
    found = _REFUSAL.search(reply)
    return f"does not serve us now: {_REFUSALS[found[1]]}" if found else None


def _advice(error: BaseException, remedy: str) -> str | None:
    # redis-py cuts the code off the replies for which it has a class, so the class's name is looked at as well
    refusal = refusal_advice(f"{_CODES.get(type(error).__name__, '')} {error}")
    match error:
        case exceptions.AuthenticationError() | exceptions.AuthorizationError() | exceptions.NoPermissionError():
            advice = f"refused us ({error}): correct the user and password of redis.url"
        case TooFewReplicasError():
            advice = f"has the write, but {error}: start replicas, or lower redis.replicas"
        case exceptions.MovedError():
            advice = "is one node of a cluster: say redis+cluster:// in redis.url"
        case exceptions.RedisError() if refusal:
            advice = refusal
        case exceptions.TimeoutError() | TimeoutError():
            advice = "does not answer in time: see whether it is stopped or overloaded"
        case exceptions.ConnectionError() | exceptions.InvalidResponse() | OSError():
            advice = f"cannot be reached ({error}): {remedy}"
        case _:
            return None
    return advice
