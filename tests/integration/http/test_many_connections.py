"""Ten thousand clients keep their connections; each search of theirs is answered."""

import asyncio
import resource
import sys
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
import uvloop

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.quick_protocol import quick_protocol
from app.adapters.inbound.http.search.quick_search import QuickSearch
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.domain.plans import searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import a_plan
from tests.support.raw_client import served

CONNECTIONS = 10_000
FILES = CONNECTIONS + 500
"""Of this process, and as many of the one with the clients."""


@pytest.fixture
def enough_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"this process may open {hard} files, and {FILES} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def application(scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError(f"not answered quickly: {scope}")


@pytest.mark.faults
def test_ten_thousand_connections_are_kept_and_answered(enough_files: None) -> None:  # noqa: ARG001 - a limit
    async def check() -> None:
        index = LiveIndex(RENDERING)
        index.put([searchable(a_plan(1))])
        index.mark_ready()
        cut: list[str] = []
        quick = QuickSearch(index, UTC, lambda _status, _seconds: None)
        protocol = quick_protocol(quick, ConnectionLimits(max_connections=CONNECTIONS), cut.append)
        async with served(application, protocol) as port:
            command = (sys.executable, "-m", "tests.processes.many_clients", str(port), str(CONNECTIONS))
            clients = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            told, _ = await clients.communicate()

        assert told.split() == [b"%d" % number for number in (CONNECTIONS, CONNECTIONS, 0, 1)]
        assert cut == ["too_many_connections"]  # the longest idle one gave way to the last

    uvloop.run(check())
