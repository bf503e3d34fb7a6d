"""The receiver that `marquee webhooks listen` is, at each address of this machine."""

import socket
import threading
from http.client import HTTPConnection

import pytest

from app.adapters.formats.webhook_signature import signed_headers
from app.adapters.inbound.cli.running import TroubleError
from app.adapters.inbound.cli.webhook_listener import address_of, listen
from app.domain.webhook_errors import InvalidWebhookError
from tests.support.builders import NOW
from tests.support.webhook_world import an_endpoint

BODY = b'{"type":"marquee.webhook.test.v1","subject":"webhooks/1","data":{}}'


def free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, 0), family=family) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError:
        pytest.skip(f"NO {host}: this machine does not have it")


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1",) * 2, ("localhost", "127.0.0.1"), ("[::1]", "::1")])
def test_it_verifies_what_comes_to_any_loopback_address(host: str, address: str) -> None:
    port = free_port(address)
    endpoint = an_endpoint(url=f"http://{host}:{port}/in")
    said: list[str] = []
    ready = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        ready.set()

    receiving = threading.Thread(target=listen, args=(endpoint, 1, lambda: NOW, say), daemon=True)
    receiving.start()
    assert ready.wait(5)
    statuses = []
    for secrets in (["whsec_AAAA"], endpoint.signing(NOW)):
        connection = HTTPConnection(address, port, timeout=5)
        connection.request("POST", "/in", BODY, signed_headers("plan-1", NOW, BODY, secrets))
        statuses.append(connection.getresponse().status)
        connection.close()
    receiving.join(5)

    assert statuses == [401, 204]
    assert not receiving.is_alive()
    assert said[1:] == [
        f"SIGNATURE WRONG, from {address}",
        "signature verified  marquee.webhook.test.v1  webhooks/1",
        "  {}",
    ]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://192.0.2.1/", "http://hook.example.com/", "http://[::2]/"]
)
def test_what_is_not_of_this_machine_is_refused(url: str) -> None:
    with pytest.raises(InvalidWebhookError, match="`listen` is for webhooks at"):
        address_of(an_endpoint(url=url))


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]")])
def test_an_address_that_is_taken_is_named_with_what_to_do(host: str, shown: str) -> None:
    port = free_port(address := host.strip("[]"))
    endpoint = an_endpoint(url=f"http://{host}:{port}/")

    with (
        socket.create_server((address, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET),
        pytest.raises(TroubleError) as caught,
    ):
        listen(endpoint, 1, lambda: NOW, lambda _: None)

    assert str(caught.value) == (
        f"{shown}:{port} cannot be listened on (Address already in use); "
        "end what uses it, or add a webhook with another port"
    )
