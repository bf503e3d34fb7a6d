"""WebhookSender over HTTP: a POST to a checked address for each attempt, signed, without redirects, within a time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus

import httpx

from app.adapters.egress.addresses import AddressRefusedError, NoAddressError, resolve
from app.adapters.egress.pinned_request import KeptConnections, PinnedRequest, port_of
from app.adapters.egress.retry_after import retry_after
from app.adapters.formats.cloud_events import CONTENT_TYPE
from app.adapters.formats.webhook_signature import signed_headers
from app.application.ports.system import Clock
from app.application.ports.webhooks import Send, WebhookSender
from app.domain.webhook_deliveries import Answer, Message
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhooks import Endpoint

READ_OF_BODY = 64 * 1024
"""What is read of an answer's body, and thrown away; a longer one closes the connection."""
READ_FOR = 1.0
"""Seconds that this may take."""

_NOT_PUBLIC = "has an address that is not public; `webhooks.allow_private_networks: true` allows it"
_HEADERS = {"Content-Type": CONTENT_TYPE, "User-Agent": "marquee", "Accept-Encoding": "identity"}
_CLOSING = {"Connection": "close"}


class HttpWebhookSender(WebhookSender):
    """Sends with `request`, which checks addresses; the status must be there `timeout` seconds after the begin."""

    def __init__(self, request: PinnedRequest, clock: Clock, *, timeout: float) -> None:
        self._request = request
        self._clock = clock
        self._timeout = timeout

    async def check(self, url: str) -> None:
        """Look the host up."""
        try:
            parsed = _parsed(url)
            host = parsed.raw_host.decode("ascii")
            found = await resolve(host, port_of(parsed), self._request.resolver, self._timeout)
            self._request.policy.check(host, found)
        except ValueError as error:
            raise InvalidWebhookError("url", str(error)) from None
        except AddressRefusedError:
            raise InvalidWebhookError("url", f"{host} {_NOT_PUBLIC}") from None
        except NoAddressError:
            return

    async def send(self, endpoint: Endpoint, message: Message) -> Answer:
        """Sign with the time of this attempt, and post."""
        return await self._send(None, endpoint, message)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send]:
        """Keep connections for all that is sent."""
        async with KeptConnections() as kept:
            yield partial(self._send, kept)

    async def _send(self, kept: KeptConnections | None, endpoint: Endpoint, message: Message) -> Answer:
        begun = time.monotonic()
        try:
            response = await self._post(kept, endpoint, message)
        except (TimeoutError, AddressRefusedError, NoAddressError, httpx.HTTPError, OSError, ValueError) as error:
            return Answer(took=time.monotonic() - begun, error=self._explained(error))
        return self._answer(response, time.monotonic() - begun)

    async def _post(self, kept: KeptConnections | None, endpoint: Endpoint, message: Message) -> httpx.Response:
        body, now = message.body.encode(), self._clock.now()
        signed = signed_headers(message.event_id, now, body, endpoint.signing(now))
        own = {header.name: header.value for header in endpoint.headers}
        headers = own | _HEADERS | signed | (_CLOSING if kept is None else {})
        async with (
            asyncio.timeout(self._timeout) as limit,
            self._request("POST", _parsed(endpoint.url), headers, body, kept) as response,
        ):
            limit.reschedule(None)
            await _read_on(response)
            return response

    def _answer(self, response: httpx.Response, took: float) -> Answer:
        status = response.status_code
        found = Answer(status=status, took=took)
        if found.is_success:
            return found
        wish = retry_after(response.headers, self._clock.now())
        error = f"answered {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            error += "; redirects are not followed"
        return Answer(status=status, took=took, error=error, retry_after=wish)

    def _explained(self, error: Exception) -> str:
        match error:
            case httpx.ConnectTimeout():
                return "no connection in time"
            case TimeoutError() | httpx.TimeoutException():
                return f"no answer within {self._timeout:g} s"
            case AddressRefusedError():
                return f"not sent: the host {_NOT_PUBLIC}"
            case NoAddressError():
                return str(error)
            case httpx.RemoteProtocolError():
                return "the answer ended too early, or is none of HTTP"
            case _:
                return f"no connection: {error}" if str(error) else f"no connection: {type(error).__name__}"


def _parsed(url: str) -> httpx.URL:
    """Read a URL once more as httpx does.

    Raises:
        ValueError: httpx cannot.
    """
    try:
        parsed = httpx.URL(url)
        parsed.raw_host.decode("ascii")
    except httpx.InvalidURL:
        raise ValueError("expected one that HTTP can be sent to") from None
    return parsed


async def _read_on(response: httpx.Response) -> None:
    """Read a little of the body, so that the receiver is not cut off in the middle; the status has told all already."""
    read = 0
    with suppress(httpx.HTTPError, OSError, TimeoutError):
        async with asyncio.timeout(READ_FOR):
            async for piece in response.aiter_raw():
                read += len(piece)
                if read >= READ_OF_BODY:
                    return
