"""The guard before FastAPI: nothing gets to a route that the gatekeeper has not let in."""

from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.access.access_errors import UnknownPathError, WrongMethodError
from app.adapters.inbound.http.access.areas import Areas
from app.adapters.inbound.http.access.gatekeeper import Admission, Gatekeeper
from app.adapters.inbound.http.connection.connection_errors import UnknownParameterError
from app.adapters.inbound.http.connection.query_parameters import refuse_unknown
from app.adapters.inbound.http.describing.answers import ErrorTable, Fields
from app.domain.access import Principal


class GuardedApp:
    """Admit what is asked of `app`, and refuse the rest in the shape of every error, unknown parameters included.

    Who is let in stands in `scope["principal"]` (None: nobody known), and in every line that is logged meanwhile;
    `still_admitted` says whether they would be let in still.
    """

    def __init__(self, app: ASGIApp, areas: Areas, gatekeeper: Gatekeeper, errors: ErrorTable) -> None:
        self._app = app
        self._areas = areas
        self._gatekeeper = gatekeeper
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        try:
            admission = await self._admit(scope)
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it becomes an answer in the contract's shape
            await self._errors.reply(error).send(send)
            return
        scope["principal"] = admission.principal
        scope["still_admitted"] = self._gatekeeper.lasting(scope, scope["route"].area)
        with structlog.contextvars.bound_contextvars(**who(admission.principal)):
            await self._serve(scope, receive, with_fields(send, admission.fields) if admission.quota else send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = scope["route"].parameters
        try:
            if known is not None:
                refuse_unknown(scope["query_string"], known)
        except UnknownParameterError as error:
            await self._errors.reply(error).send(send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> Admission:
        method, path = scope["method"], scope["path"]
        route = self._areas.find(method, path)
        if route is None:  # not handed on: what has no rule must not depend on somebody else to refuse it
            # (nor would FastAPI name all methods in `Allow`, when asked for OPTIONS)
            allowed = self._areas.methods_at(path)
            await self._gatekeeper.count(scope)
            raise WrongMethodError(allowed) if allowed else UnknownPathError
        scope["route"] = route  # for the figures, should it be refused
        return await self._gatekeeper.admit(scope, route.area)


def still_admitted(scope: Scope) -> Callable[[], bool]:
    """Give what a stream asks now and then: whether it would be let in still."""
    found: Callable[[], bool] = scope.get("still_admitted", lambda: True)
    return found


def who(principal: Principal | None) -> dict[str, str]:
    """Say for the log who it is: the name, and the public part of the key."""
    return {} if principal is None else {"principal": principal.name, "caller": principal.caller}


def with_fields(send: Send, fields: Fields) -> Send:
    """Make of a `send` one that adds header fields to the answer."""

    async def send_with_fields(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *fields]
        await send(message)

    return send_with_fields
