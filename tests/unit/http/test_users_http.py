"""Users and keys over HTTP: what is answered, what is refused and how, and that a secret is shown once."""

import json
from collections.abc import AsyncIterator
from gzip import compress
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.users.users_router import users_router
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.application.manage_keys import CreateKey, ListKeys, RevokeKey
from app.application.manage_users import CreateUser, DeleteUser, FindUser, UpdateUser
from app.domain.api_keys import key_id_of
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUsers
from tests.support.asgi import Sent
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import post

ANA = {"username": "ana", "email": "ana@example.com"}
NOBODY = "/users/00000000-0000-0000-0000-00000000ffff"
JSON = {"content-type": "application/json"}


class World:
    """The routes over stores in memory; ids and secrets are counted."""

    def __init__(self) -> None:
        self.store = AccessStore()
        self.clock = FixedClock()
        numbers, letters = count(1), count(0)
        users, keys = MemoryUsers(self.store), MemoryApiKeys(self.store)

        def new_id() -> UUID:
            return UUID(int=next(numbers))

        def random_text(length: int) -> str:
            return f"{next(letters):0{length}}"

        self.api = create_api(
            [
                users_router(
                    UsersUseCases(
                        users=users,
                        create_user=CreateUser(users, self.clock, new_id),
                        find_user=FindUser(users),
                        update_user=UpdateUser(users, self.clock, new_id),
                        delete_user=DeleteUser(users, self.clock, new_id),
                        create_key=CreateKey(keys, self.clock, random_text, users),
                        list_keys=ListKeys(users, keys),
                        revoke_key=RevokeKey(keys, self.clock),
                        clock=self.clock,
                    )
                )
            ],
            "test",
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.api), base_url="http://test")

    async def ask(self, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if content is None else JSON
        return await self.client.request(method, path, content=content, headers=headers, params=params or None)

    async def made(self, username: str = "ana", **more: Any) -> dict[str, Any]:
        """Add a user."""
        answer = await self.ask("POST", "/users", {"username": username, "email": f"{username}@example.com", **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def key_of(self, user: dict[str, Any], **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", f"/users/{user['id']}/keys", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def keys_of(self, user: dict[str, Any]) -> list[dict[str, Any]]:
        return list((await self.ask("GET", f"/users/{user['id']}/keys")).json())

    async def names(self, **params: str) -> list[str]:
        answer = await self.ask("GET", "/users", **params)
        assert answer.status_code == 200, answer.text
        return [user["username"] for user in answer.json()]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    async with made.client:
        yield made


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said["data"] is None
    return answer.status_code, said["error"]["code"]


def message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


async def test_a_user_is_added_and_found_where_the_answer_says(world: World) -> None:
    answer = await world.ask("POST", "/users", {**ANA, "full_name": "Ana Gómez", "role": "writer"})

    assert answer.status_code == 201
    assert answer.json() == {
        "id": "00000000-0000-0000-0000-000000000001",
        "username": "ana",
        "email": "ana@example.com",
        "full_name": "Ana Gómez",
        "role": "writer",
        "is_active": True,
        "created_at": "2026-01-05T12:00:00.000Z",
        "updated_at": "2026-01-05T12:00:00.000Z",
    }
    assert (await world.ask("GET", answer.headers["location"])).json() == answer.json()


async def test_a_user_is_an_active_reader_unless_said_otherwise(world: World) -> None:
    user = await world.made()

    assert (user["role"], user["is_active"], user["full_name"]) == ("reader", True, None)


@pytest.mark.parametrize(
    ("body", "code"), [({"username": "ANA"}, "username_taken"), ({"email": "ANA@example.com"}, "email_taken")]
)
async def test_a_name_or_an_address_that_is_taken_is_409(world: World, body: dict[str, str], code: str) -> None:
    await world.made()
    bob = await world.made("bob")

    made = await world.ask("POST", "/users", {"username": "eve", "email": "eve@example.com", **body})
    changed = await world.ask("PATCH", f"/users/{bob['id']}", body)

    assert refusal(made) == refusal(changed) == (409, code)


async def test_users_are_listed_in_the_order_in_which_they_were_made_a_page_at_a_time(world: World) -> None:
    users = [await world.made(name) for name in ("zoe", "bob", "ana")]
    await world.ask("DELETE", f"/users/{users[1]['id']}")

    assert await world.names() == ["zoe", "bob", "ana"]
    assert await world.names(limit="2") == ["zoe", "bob"]
    assert await world.names(limit="2", after=users[1]["id"]) == ["ana"]
    assert await world.names(is_active="true") == ["zoe", "ana"]
    assert await world.names(is_active="false") == ["bob"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "1001", "-1", "ten", "1.5", "9" * 5000, "")),
        *(("after", value) for value in ("bob", "", "\0", "0" * 36)),
        *(("is_active", value) for value in ("perhaps", "", "null")),
    ],
)
async def test_a_page_that_makes_no_sense_is_400(world: World, name: str, value: str) -> None:
    answer = await world.ask("GET", "/users", **{name: value})

    assert refusal(answer) == (400, "invalid_request")
    assert message(answer).startswith(f"{name}: ")


async def test_a_patch_changes_what_it_names_and_nothing_else(world: World) -> None:
    user = await world.made(full_name="Ana")
    world.clock.move(60)

    changed = await world.ask("PATCH", f"/users/{user['id']}", {"role": "operator", "full_name": None})

    assert changed.status_code == 200
    assert changed.json() == user | {"role": "operator", "full_name": None, "updated_at": "2026-01-05T12:01:00.000Z"}


@pytest.mark.parametrize("body", [{}, {"username": "ana"}, {"is_active": True, "role": "reader"}])
async def test_a_patch_that_says_nothing_new_changes_nothing_and_tells_nobody(
    world: World, body: dict[str, Any]
) -> None:
    user = await world.made()
    world.clock.move(60)

    answer = await world.ask("PATCH", f"/users/{user['id']}", body)

    assert (answer.status_code, answer.json()) == (200, user)
    assert len(world.store.told) == 1


async def test_a_user_is_deleted_once_and_its_row_stays(world: World) -> None:
    user = await world.made()

    answers = [await world.ask("DELETE", f"/users/{user['id']}") for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert (await world.ask("GET", f"/users/{user['id']}")).json()["is_active"] is False
    assert [one.name for one in world.store.told] == ["user.created", "user.deleted"]


async def test_a_deleted_users_name_is_free_and_its_keys_are_revoked(world: World) -> None:
    user = await world.made()
    await world.key_of(user)

    await world.ask("DELETE", f"/users/{user['id']}")

    assert (await world.made())["id"] != user["id"]
    assert [key["state"] for key in await world.keys_of(user)] == ["revoked"]
    assert refusal(await world.ask("POST", f"/users/{user['id']}/keys", {})) == (404, "unknown_user")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", NOBODY, None),
        ("PATCH", NOBODY, {}),
        ("DELETE", NOBODY, None),
        ("GET", f"{NOBODY}/keys", None),
        ("POST", f"{NOBODY}/keys", {}),
    ],
)
async def test_somebody_unknown_is_404(world: World, method: str, path: str, body: Any) -> None:
    assert refusal(await world.ask(method, path, body)) == (404, "unknown_user")


@pytest.mark.parametrize("path", ["/users/ana", "/users/1", "/users/%00", f"{NOBODY}x/keys"])
async def test_an_id_that_is_none_is_400(world: World, path: str) -> None:
    assert refusal(await world.ask("GET", path)) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("username", value) for value in ("", " ana", "a b", "añá", "-ana", "a" * 65, "ana\n", "ana\0")),
        *(("email", value) for value in ("", "ana", "a@", "@x", "a b@x", "a@x\n", "a" * 65 + "@x", "a@" + "x" * 253)),
        *(("full_name", value) for value in ("a\0b", "a\nb", "a" * 201, "\u2028")),
    ],
)
async def test_what_the_rules_of_users_refuse_is_400_and_names_the_field(world: World, field: str, value: str) -> None:
    user = await world.made("bob")

    made = await world.ask("POST", "/users", {**ANA, field: value})
    changed = await world.ask("PATCH", f"/users/{user['id']}", {field: value})

    assert refusal(made) == refusal(changed) == (400, "invalid_user")
    assert message(made).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "username: Field required; email: Field required"),
        ({**ANA, "id": 1}, "id: Extra inputs are not permitted"),
        ({**ANA, "version": 2}, "version: Extra inputs are not permitted"),
        ({**ANA, "username": 7}, "username: Input should be a valid string"),
        ({**ANA, "email": None}, "email: Input should be a valid string"),
        ({**ANA, "is_active": "true"}, "is_active: Input should be a valid boolean"),
        ({**ANA, "is_active": 1}, "is_active: Input should be a valid boolean"),
        ({**ANA, "role": "root"}, "role: Input should be 'reader', 'writer', 'operator' or 'admin'"),
        ({**ANA, "role": []}, "role: Input should be 'reader', 'writer', 'operator' or 'admin'"),
        ({**ANA, "full_name": {"first": "Ana"}}, "full_name: Input should be a valid string"),
        ([ANA], "body: expected an object, found an array"),
        ("ana", "body: expected an object, found 'ana'"),
        (b"null", "body: expected an object, found null"),
        (b'{"username":"ana","username":"bob"}', "username: the key 'username' stands twice in one object"),
        (b'{"username":"\\ud800"}', "username: half of a surrogate pair (\\ud800 to \\udfff) is no text"),
        (b'{"\\ud800":1}', "body: half of a surrogate pair (\\ud800 to \\udfff) is no text"),
        (b'{"username":"\xff"}', "body: expected UTF-8, found b'\\xff' at byte 13"),
        (
            b'{"username":' + b"9" * 5000 + b"}",
            "username: expected a number that fits 64 bits or a double, found one of ",
        ),
        (b'{"username":1e999}', "username: expected a number that fits 64 bits or a double, found 1e999"),
        (b'{"username":NaN}', "username: expected a finite number, found NaN"),
    ],
    ids=str,
)
async def test_a_body_of_another_kind_is_400_and_says_what_is_wrong_where(world: World, body: Any, said: str) -> None:
    answer = await world.ask("POST", "/users", body)

    assert refusal(answer) == (400, "invalid_request")
    assert message(answer).startswith(said)


@pytest.mark.parametrize("depth", [33, 1000, 20_000])
async def test_a_body_that_is_nested_without_end_is_400(world: World, depth: int) -> None:
    body = b'{"username":' + b"[" * depth + b"]" * depth + b"}"

    answer = await world.ask("POST", "/users", body)

    assert refusal(answer) == (400, "invalid_request")
    assert "nested more than 32 deep" in message(answer)


@pytest.mark.parametrize("body", [b"", b"{", b'{"username"}', b"\0", b"{}{}"])
async def test_what_is_no_json_is_400(world: World, body: bytes) -> None:
    assert refusal(await world.ask("POST", "/users", body)) == (400, "invalid_json")


async def test_what_was_sent_is_not_repeated_without_end(world: World) -> None:
    answer = await world.ask("POST", "/users", {f"{number}" + "x" * 1000: 1 for number in range(60)})

    assert refusal(answer) == (400, "invalid_request")
    assert len(message(answer)) < 700


@pytest.mark.parametrize("path", ["/users", f"{NOBODY}/keys"])
async def test_only_small_json_is_read(world: World, path: str) -> None:
    large = b'{"username":"' + b"a" * 65536 + b'"}'

    as_it_is = await world.ask("POST", path, large)
    packed = await world.client.post(path, content=compress(large), headers={**JSON, "content-encoding": "gzip"})
    form = await world.client.post(path, content=b"username=ana", headers={"content-type": "application/x-www-form"})
    bare = await world.client.post(path, content=b"{}")
    brotli = await world.client.post(path, content=b"{}", headers={**JSON, "content-encoding": "br"})

    assert [refusal(one) for one in (as_it_is, packed)] == [(413, "too_large")] * 2
    assert [refusal(one) for one in (form, bare)] == [(415, "unsupported_media_type")] * 2
    assert refusal(brotli) == (415, "unsupported_encoding")


async def test_a_client_that_leaves_in_the_midst_of_its_body_adds_nobody(world: World) -> None:
    sent: Sent = await post(world.api, json.dumps(ANA).encode(), "/users", ((b"content-type", b"application/json"),), 0)

    assert sent.status in (0, 400)
    assert await world.names() == []


async def test_a_key_needs_no_body(world: World) -> None:
    user = await world.made()

    answer = await world.ask("POST", f"/users/{user['id']}/keys")

    assert (answer.status_code, answer.json()["name"]) == (201, "")
    assert (await world.ask("POST", "/users")).status_code == 415


async def test_a_key_is_shown_once_and_must_not_be_stored_on_the_way(world: World) -> None:
    user = await world.made()

    answer = await world.ask("POST", f"/users/{user['id']}/keys", {"name": "backoffice"})

    made = answer.json()
    text = made.pop("key")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert key_id_of(text) == made["id"]
    assert made == {
        "id": made["id"],
        "name": "backoffice",
        "state": "live",
        "created_at": "2026-01-05T12:00:00.000Z",
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
        "publishable": False,
        "origins": [],
        "types": [],
    }
    listed = await world.ask("GET", f"/users/{user['id']}/keys")
    assert listed.json() == [made]
    assert text not in listed.text
    assert world.store.keys[made["id"]].matches(text)


async def test_a_key_that_is_no_secret_says_from_which_pages_it_posts_what(world: World) -> None:
    user = await world.made(role="writer")

    made = await world.key_of(
        user, publishable=True, origins=["https://Shop.example:443/", "http://[::1]:8001"], types=["page_view"]
    )

    assert made["key"].startswith("mqp_")
    (listed,) = await world.keys_of(user)
    assert (listed["publishable"], listed["types"]) == (True, ["page_view"])
    assert listed["origins"] == ["http://[::1]:8001", "https://shop.example"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"publishable": True}, "origins"),
        ({"publishable": True, "origins": ["null"]}, "origins"),
        ({"publishable": True, "origins": ["https://shop.example", "*"]}, "origins"),
        ({"publishable": True, "origins": ["https://shop.example/cart"]}, "origins"),
        ({"publishable": True, "origins": ["https://b\u00fccher.example"]}, "origins"),
        ({"publishable": True, "origins": ["*"], "types": ["Page View"]}, "types"),
        ({"origins": ["https://shop.example"]}, "origins"),
        ({"types": ["page_view"]}, "types"),
    ],
)
async def test_what_makes_no_sense_of_a_publishable_key_is_refused(
    world: World, body: dict[str, Any], field: str
) -> None:
    user = await world.made(role="writer")

    answer = await world.ask("POST", f"/users/{user['id']}/keys", body)

    assert refusal(answer) == (400, "invalid_key")
    assert answer.json()["error"]["message"].startswith(f"{field}: ")


async def test_whoever_may_not_post_gets_no_publishable_key(world: World) -> None:
    user = await world.made(role="reader")

    answer = await world.ask("POST", f"/users/{user['id']}/keys", {"publishable": True, "origins": ["*"]})

    assert refusal(answer) == (400, "invalid_key")
    assert "give the user the role writer" in answer.text


async def test_keys_are_live_expired_or_revoked(world: World) -> None:
    user = await world.made()
    await world.key_of(user, name="short", expires_at="2026-01-05T13:00:00+00:30")
    gone = await world.key_of(user, name="gone")
    world.clock.move(3600)

    answers = [await world.ask("DELETE", f"/users/{user['id']}/keys/{gone['id']}") for _ in range(2)]
    await world.key_of(user, name="new", expires_at="2026-01-05T13:00:01")

    assert [answer.status_code for answer in answers] == [204, 204]
    assert {key["name"]: (key["state"], key["expires_at"], key["revoked_at"]) for key in await world.keys_of(user)} == {
        "new": ("live", "2026-01-05T13:00:01.000Z", None),
        "gone": ("revoked", None, "2026-01-05T13:00:00.000Z"),
        "short": ("expired", "2026-01-05T12:30:00.000Z", None),
    }


async def test_a_third_live_key_is_409(world: World) -> None:
    user = await world.made()
    for _ in range(2):
        await world.key_of(user)

    assert refusal(await world.ask("POST", f"/users/{user['id']}/keys", {})) == (409, "too_many_keys")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"expires_at": "2026-01-05T12:00:00Z"}, "invalid_key"),
        ({"expires_at": "0001-01-01T00:00:00Z"}, "invalid_key"),
        ({"name": "a" * 101}, "invalid_key"),
        ({"name": "a\0"}, "invalid_key"),
        ({"name": "\u202e"}, "invalid_key"),
        ({"expires_at": "9999-12-31T23:59:59-01:00"}, "invalid_date_time"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "invalid_date_time"),
        ({"expires_at": "tomorrow"}, "invalid_date_time"),
        ({"expires_at": ""}, "invalid_date_time"),
        ({"expires_at": 1_800_000_000}, "invalid_request"),
        ({"name": None}, "invalid_request"),
        ({"key": "mqk_mine"}, "invalid_request"),
        ([], "invalid_request"),
    ],
    ids=str,
)
async def test_a_key_that_makes_no_sense_is_400(world: World, body: Any, code: str) -> None:
    user = await world.made()

    assert refusal(await world.ask("POST", f"/users/{user['id']}/keys", body)) == (400, code)


async def test_a_key_of_somebody_else_is_404_and_stays(world: World) -> None:
    ana, bob = await world.made("ana"), await world.made("bob")
    key = await world.key_of(ana)

    answer = await world.ask("DELETE", f"/users/{bob['id']}/keys/{key['id']}")

    assert refusal(answer) == (404, "unknown_key")
    assert (await world.keys_of(ana))[0]["state"] == "live"


@pytest.mark.parametrize("key_id", ["x", "a" * 11, "aaaaaaaaa-", "a%00aaaaaaaa", "aaaaaaaaa%0A", "%C3%B1aaaaaaaaa"])
async def test_a_key_id_that_is_none_is_400(world: World, key_id: str) -> None:
    user = await world.made()

    assert refusal(await world.ask("DELETE", f"/users/{user['id']}/keys/{key_id}")) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/users", None),
        ("POST", "/users", ANA),
        ("GET", NOBODY, None),
        ("PATCH", NOBODY, {}),
        ("DELETE", NOBODY, None),
        ("GET", f"{NOBODY}/keys", None),
        ("POST", f"{NOBODY}/keys", {}),
        ("DELETE", f"{NOBODY}/keys/aaaaaaaaaa", None),
    ],
)
async def test_without_its_database_every_route_is_503(world: World, method: str, path: str, body: Any) -> None:
    world.store.unavailable = "the database is away"

    answer = await world.ask(method, path, body)

    assert refusal(answer) == (503, "history_unavailable")
    assert answer.headers["retry-after"] == "5"


def test_the_documentation_has_every_status_and_resolves_every_reference(world: World) -> None:
    document = world.api.openapi()
    found = {
        (method.upper(), path): {*operation["responses"]} - {"401", "403", "429"}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    always, body = {"400", "503"}, {"413", "415"}

    assert found == {
        ("POST", "/users"): always | body | {"201", "409"},
        ("GET", "/users"): always | {"200"},
        ("GET", "/users/{user_id}"): always | {"200", "404"},
        ("PATCH", "/users/{user_id}"): always | body | {"200", "404", "409"},
        ("DELETE", "/users/{user_id}"): always | {"204", "404", "409"},
        ("POST", "/users/{user_id}/keys"): always | body | {"201", "404", "409"},
        ("GET", "/users/{user_id}/keys"): always | {"200", "404"},
        ("DELETE", "/users/{user_id}/keys/{key_id}"): always | {"204", "404"},
    }
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _references(one)]
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for one in value.values() for found in _references(one)]
    return []


def test_a_patch_is_documented_without_defaults_that_it_has_not(world: World) -> None:
    schemas = {
        method: world.api.openapi()["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        for method, path in (("post", "/users"), ("patch", "/users/{user_id}"))
    }

    assert schemas["post"]["required"] == ["username", "email"]
    assert "required" not in schemas["patch"]
    assert not any("default" in field for field in schemas["patch"]["properties"].values())
    assert all(schema["additionalProperties"] is False for schema in schemas.values())
