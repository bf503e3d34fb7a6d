"""Webhooks over HTTP: made, looked at, changed, tried out and removed as on the command line."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import BaseModel, Field

from app.adapters.inbound.answering.webhook_answers import (
    NewWebhookAnswer,
    WebhookAttemptAnswer,
    WebhookDeliveryAnswer,
    WebhookStateAnswer,
    attempt_answer,
    delivery_answer,
    found_answer,
    secret_answer,
)
from app.adapters.inbound.http.connection.json_bodies import MOST, documented, read_body
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.adapters.inbound.http.webhooks.webhook_bodies import (
    NewSecretBody,
    NewWebhookBody,
    ReplayBody,
    WebhookPatchBody,
)
from app.adapters.inbound.reading.instants import read_expiry
from app.adapters.inbound.use_cases.webhooks_use_cases import WebhooksUseCases
from app.application.ports.webhooks import Replay
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhooks import ENDPOINT_NAME, OVERLAP, Endpoint

Name = Annotated[
    str,
    Path(pattern=f"^{ENDPOINT_NAME.pattern}$", description="The webhook's name", examples=["shop"]),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at the most, newest first")]

ALWAYS = failure(400, "The request was not correctly formed") | failure(503, "The database is away")
UNKNOWN = failure(404, "Unknown")
BODY = failure(413, f"More than {MOST:,} bytes") | failure(415, "Neither JSON in UTF-8 as it is, nor in gzip")
SECRET = {"cache-control": "no-store"}


class ReplayedAnswer(BaseModel):
    """What is sent again."""

    deliveries: int = Field(description="How many")


def webhooks_router(core: WebhooksUseCases) -> APIRouter:
    """Make the routes; whoever wires them lets only admins in."""
    router = APIRouter(prefix="/webhooks", tags=["webhooks"], responses=ALWAYS)
    _add_making(router, core)
    _add_looking(router, core)
    _add_changing(router, core)
    _add_trying(router, core)
    return router


def _add_making(router: APIRouter, core: WebhooksUseCases) -> None:
    @router.post(
        "",
        status_code=status.HTTP_201_CREATED,
        summary="Add a webhook: the answer shows its secret, and nothing ever will again",
        response_model=NewWebhookAnswer,
        responses=BODY | failure(409, "Another webhook has the name"),
        openapi_extra=documented(NewWebhookBody),
    )
    async def create_webhook(request: Request) -> Response:
        body = await read_body(request, NewWebhookBody)
        made = await core.add(body.name, body.url, body.names, body.headers)
        headers = {"location": f"/webhooks/{made.name}"} | SECRET
        return json_response(secret_answer(made), status.HTTP_201_CREATED, headers)

    @router.delete(
        "/{webhook}",
        status_code=status.HTTP_204_NO_CONTENT,
        summary="Remove a webhook, what is pending for it, and its log",
        responses=UNKNOWN,
    )
    async def delete_webhook(webhook: Name) -> Response:
        await core.remove(webhook)
        return Response(status_code=status.HTTP_204_NO_CONTENT)


def _add_looking(router: APIRouter, core: WebhooksUseCases) -> None:
    async def found(endpoint: Endpoint) -> Response:
        return json_response(found_answer(endpoint, await core.log.backlog(endpoint.endpoint_id), core.clock.now()))

    @router.get("", summary="All webhooks, by name", response_model=list[WebhookStateAnswer])
    async def list_webhooks() -> Response:
        rows = [(one, await core.log.backlog(one.endpoint_id)) for one in await core.endpoints.all()]
        return json_response([found_answer(*row, core.clock.now()) for row in rows])

    @router.get(
        "/{webhook}",
        summary="A webhook without its secrets, and how it fares",
        response_model=WebhookStateAnswer,
        responses=UNKNOWN,
    )
    async def get_webhook(webhook: Name) -> Response:
        return await found(await core.find(webhook))

    @router.patch(
        "/{webhook}",
        summary="Switch a webhook on or off, and change the headers that it sends beside ours",
        response_model=WebhookStateAnswer,
        responses=UNKNOWN | BODY,
        openapi_extra=documented(WebhookPatchBody),
    )
    async def update_webhook(request: Request, webhook: Name) -> Response:
        body = await read_body(request, WebhookPatchBody)
        endpoint = await core.change_headers(webhook, body.headers)
        if "is_active" in body.model_fields_set:
            endpoint = await (core.switch.on(webhook) if body.is_active else core.switch.off(webhook))
        return await found(endpoint)

    @router.get(
        "/{webhook}/deliveries",
        summary="The newest deliveries of a webhook, each with its last attempt",
        response_model=list[WebhookDeliveryAnswer],
        responses=UNKNOWN,
    )
    async def list_deliveries(webhook: Name, limit: Limit = 100) -> Response:
        endpoint = await core.find(webhook)
        rows = await core.log.newest(endpoint.endpoint_id, limit)
        return json_response([delivery_answer(endpoint, row, core.clock.now()) for row in rows])


def _add_changing(router: APIRouter, core: WebhooksUseCases) -> None:
    @router.post(
        "/{webhook}/secret",
        summary="Make a new secret, shown in the answer and never again; those before sign as well for 24 hours",
        response_model=NewWebhookAnswer,
        responses=UNKNOWN | BODY,
        openapi_extra=documented(NewSecretBody, needed=False),
    )
    async def rotate_secret(request: Request, webhook: Name) -> Response:
        body = await read_body(request, NewSecretBody, needed=False)
        endpoint = await core.rotate(webhook, timedelta() if body.at_once else OVERLAP)
        return json_response(secret_answer(endpoint), headers=SECRET)

    @router.post(
        "/{webhook}/replay",
        summary="Send again what has ended, with the ids that it had",
        response_model=ReplayedAnswer,
        responses=UNKNOWN | BODY,
        openapi_extra=documented(ReplayBody),
    )
    async def replay_deliveries(request: Request, webhook: Name) -> Response:
        body = await read_body(request, ReplayBody)
        return json_response({"deliveries": await core.replay(webhook, _which(body))})


def _add_trying(router: APIRouter, core: WebhooksUseCases) -> None:
    @router.post(
        "/{webhook}/test",
        summary="Send a signed marquee.webhook.test.v1 now, also to a webhook that is off, and tell the answer to it",
        response_model=WebhookAttemptAnswer,
        responses=UNKNOWN,
    )
    async def try_webhook(webhook: Name) -> Response:
        return json_response(attempt_answer(await core.try_out(webhook)))


def _which(body: ReplayBody) -> Replay:
    if [body.delivery_id is not None, body.since is not None, body.failed].count(True) != 1:
        raise InvalidWebhookError("replay", "say one of delivery_id, failed: true, since")
    return Replay(delivery_id=body.delivery_id, since=None if body.since is None else read_expiry("since", body.since))
