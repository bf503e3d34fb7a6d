"""Connections to a service of two API processes: which of them has one, the kernel decides."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection

from tests.support.service import Service, ask
from tests.support.waiting import until

CONNECTIONS = 24
"""So many that both have some."""


@contextmanager
def connections_to_both(service: Service) -> Iterator[list[HTTPConnection]]:
    """Hold keep-alive connections, opened anew until both processes have some, for one may still be loading."""
    with ExitStack() as held:
        opened: list[HTTPConnection] = []

        def reach_both() -> bool:
            held.close()
            opened[:] = [held.enter_context(closing(service.connect())) for _ in range(CONNECTIONS)]
            return len({process_of(connection) for connection in opened}) == 2

        until(reach_both)
        yield opened


def process_of(connection: HTTPConnection) -> str:
    """Which process answers: the request ids that it makes up begin with its own random word."""
    return ask(connection, "/health/live").headers["x-request-id"].partition("-")[0]
