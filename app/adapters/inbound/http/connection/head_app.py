"""HEAD for everything that can be read: FastAPI has none, and monitors and proxies ask with it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadApp:
    """Answer HEAD as `app` answers GET, without the body: same status, same fields (RFC 9110, 9.3.2).

    Of a stream it is the beginning that counts: the answer is over once the head is there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        over = False

        async def send_head(message: Message) -> None:
            nonlocal over
            if over:
                return
            if message["type"] == "http.response.body":
                over, message = True, {"type": "http.response.body", "body": b""}
            await send(message)

        async def receive_until_over() -> Message:
            return {"type": "http.disconnect"} if over else await receive()

        await self._app({**scope, "method": "GET"}, receive_until_over, send_head)
