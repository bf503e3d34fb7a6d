"""The service's address: one in use is tried for a while, one that cannot be had at all is not."""

import asyncio
import socket
import time

import pytest
import structlog

from app.infrastructure.processes.listening_socket import ADDRESS_TIMEOUT, AddressTakenError, listen
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError


def at(host: str, port: int) -> Settings:
    return Settings.model_validate({"service": {"host": host, "port": port}})


async def test_an_address_that_becomes_free_meanwhile_is_had_and_the_wait_is_said_once() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    asyncio.get_running_loop().call_later(0.5, taken.close)

    with structlog.testing.capture_logs() as logged:
        listening = await listen(at("127.0.0.1", port))

    with listening:
        assert listening.getsockname()[1] == port
    assert [entry["event"] for entry in logged] == ["the address is in use; it is tried again for a while"]


async def test_one_that_stays_in_use_is_given_up_with_another_error_than_a_wrong_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        began = time.monotonic()

        with pytest.raises(AddressTakenError, match=r"cannot be listened on .*MARQUEE__SERVICE__PORT"):
            await listen(at("127.0.0.1", taken.getsockname()[1]))

        assert time.monotonic() - began >= ADDRESS_TIMEOUT


async def test_an_address_of_another_machine_is_a_mistake_at_once() -> None:
    with structlog.testing.capture_logs() as logged, pytest.raises(ConfigurationError):
        await listen(at("192.0.2.1", 8000))

    assert logged == []
