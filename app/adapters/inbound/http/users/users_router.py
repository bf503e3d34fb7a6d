"""Users and their keys over HTTP. Answers are plain, without an envelope."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import WithJsonSchema  # optional, but never null: that a query cannot say

from app.adapters.formats.cloud_events import user_data
from app.adapters.inbound.answering.key_answers import KeyAnswer, NewKeyAnswer, key_answer, new_key_answer
from app.adapters.inbound.http.connection.json_bodies import MOST, documented, read_body
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.adapters.inbound.http.users.user_bodies import (
    KEY_ID,
    NewKeyBody,
    NewUserBody,
    UserAnswer,
    UserPatchBody,
)
from app.adapters.inbound.reading.instants import read_expiry
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.application.manage_users import NewUser

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at the most, in the order in which they were made")]
After = Annotated[
    UUID | None,
    WithJsonSchema({"type": "string", "format": "uuid"}),
    Query(description="Those behind this one: the last of the page before"),
]
OnlyActive = Annotated[
    bool | None, WithJsonSchema({"type": "boolean"}), Query(description="Only active ones, or only inactive ones")
]
KeyId = Annotated[str, Path(pattern=KEY_ID, description="The public part of a key")]

ALWAYS = failure(400, "The request was not correctly formed") | failure(503, "The database is away")
UNKNOWN = failure(404, "Unknown")
BODY = failure(413, f"More than {MOST:,} bytes") | failure(415, "Neither JSON in UTF-8 as it is, nor in gzip")
TAKEN = failure(409, "An active user has the name or the address, or somebody else changes this user just now")


def users_router(core: UsersUseCases) -> APIRouter:
    """Make the routes; whoever wires them lets only admins in."""
    router = APIRouter(prefix="/users", tags=["users"], responses=ALWAYS)
    _add_users(router, core)
    _add_changes(router, core)
    _add_keys(router, core)
    return router


def _add_users(router: APIRouter, core: UsersUseCases) -> None:
    @router.post(
        "",
        status_code=status.HTTP_201_CREATED,
        summary="Add a user",
        response_model=UserAnswer,
        responses=BODY | TAKEN,
        openapi_extra=documented(NewUserBody),
    )
    async def create_user(request: Request) -> Response:
        body = await read_body(request, NewUserBody)
        user = await core.create_user(NewUser(**body.model_dump()))
        return json_response(user_data(user), status.HTTP_201_CREATED, {"location": f"/users/{user.user_id}"})

    @router.get("", summary="The users, also deleted ones", response_model=list[UserAnswer])
    async def list_users(limit: Limit = 100, after: After = None, is_active: OnlyActive = None) -> Response:
        return json_response([user_data(user) for user in await core.users.page(limit, after, is_active=is_active)])

    @router.get("/{user_id}", summary="A user, also a deleted one", response_model=UserAnswer, responses=UNKNOWN)
    async def get_user(user_id: UUID) -> Response:
        return json_response(user_data(await core.find_user(user_id)))


def _add_changes(router: APIRouter, core: UsersUseCases) -> None:
    @router.patch(
        "/{user_id}",
        summary="Change some fields of a user; those that are not named stay (JSON Merge Patch)",
        response_model=UserAnswer,
        responses=UNKNOWN | BODY | TAKEN,
        openapi_extra=documented(UserPatchBody),
    )
    async def update_user(request: Request, user_id: UUID) -> Response:
        body = await read_body(request, UserPatchBody)
        return json_response(user_data(await core.update_user(user_id, body.model_dump(exclude_unset=True))))

    @router.delete(
        "/{user_id}",
        status_code=status.HTTP_204_NO_CONTENT,
        summary="Delete a user: inactive from now on, with all keys revoked; the row stays. Safe to repeat",
        responses=UNKNOWN | TAKEN,
    )
    async def delete_user(user_id: UUID) -> Response:
        await core.delete_user(user_id)
        return Response(status_code=status.HTTP_204_NO_CONTENT)


def _add_keys(router: APIRouter, core: UsersUseCases) -> None:
    @router.post(
        "/{user_id}/keys",
        status_code=status.HTTP_201_CREATED,
        summary="Make a key for an active user: the answer shows it, and nothing ever will again",
        response_model=NewKeyAnswer,
        responses=UNKNOWN | BODY | failure(409, "The user has as many live keys as anybody may: revoke one first"),
        openapi_extra=documented(NewKeyBody, needed=False),
    )
    async def create_key(request: Request, user_id: UUID) -> Response:
        body = await read_body(request, NewKeyBody, needed=False)
        expires_at = None if body.expires_at is None else read_expiry("expires_at", body.expires_at)
        made = await core.create_key(user_id, body.name, expires_at, body.may())
        return json_response(new_key_answer(made), status.HTTP_201_CREATED, {"cache-control": "no-store"})

    @router.get(
        "/{user_id}/keys",
        summary="The keys of a user, newest first, without their secrets",
        response_model=list[KeyAnswer],
        responses=UNKNOWN,
    )
    async def list_keys(user_id: UUID) -> Response:
        found, now = await core.list_keys(user_id), core.clock.now()
        return json_response([key_answer(key, now) for key in found])

    @router.delete(
        "/{user_id}/keys/{key_id}",
        status_code=status.HTTP_204_NO_CONTENT,
        summary="Revoke a key. Safe to repeat",
        responses=UNKNOWN,
    )
    async def revoke_key(user_id: UUID, key_id: KeyId) -> Response:
        await core.revoke_key(user_id, key_id)
        return Response(status_code=status.HTTP_204_NO_CONTENT)
