"""Tokens of another issuer, verified by the keys that a real server on loopback publishes."""

import asyncio
import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from structlog.testing import capture_logs

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.inbound.http.access.gatekeeper import LOOK_UP_TIMEOUT
from app.adapters.outbound.jwt.jwks import LARGEST, PAUSE, SHORT_PAUSE, Jwks
from app.adapters.outbound.jwt.tokens import LONGEST_TOKEN, JwksTokens, TokenRules
from app.application.ports.users import InvalidTokenError, TokensUnavailableError
from app.domain.access import Principal, Role
from tests.support.builders import NOW
from tests.support.feed_server import Answer, FeedServer, Request, answer, silence
from tests.support.fixed_clock import FixedClock

ISSUER, AUDIENCE = "https://id.example/", "marquee"
AT = int(NOW.timestamp())
RSA, OTHER_RSA = (RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("one", "two"))
EC = ECKey.generate_key("P-256", {"kid": "ec", "alg": "ES256"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
RULES = TokenRules(
    issuer=ISSUER,
    audience=AUDIENCE,
    algorithms=("RS256", "ES256", "EdDSA"),
    scopes={f"marquee:{role}": role for role in Role},
    leeway=30,
)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "robot",
    "exp": AT + 300,
    "iat": AT,
    "scope": "openid marquee:writer",
}


def jwks(*keys: Key) -> Answer:
    return answer(200, json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode())


def a_token(key: Key = RSA, algorithm: str = "RS256", header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """Sign a token as the issuer would; a claim of None is left out."""
    said = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, said, key, algorithms=[algorithm])


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


class World:
    """Tokens by the keys of a server, and two clocks."""

    def __init__(self, server: FeedServer, policy: AddressPolicy | None = None, rules: TokenRules = RULES) -> None:
        self.server = server
        self.seconds = 1000.0
        self.clock = FixedClock()
        send = PinnedRequest(policy=policy or AddressPolicy(allow_private_networks=True))
        self.jwks = Jwks(server.url, send, cache=300, stale=3600, now=lambda: self.seconds)
        self.tokens = JwksTokens(rules, self.jwks, self.clock)

    async def fetched(self) -> None:
        """Wait for the fetch that goes on, if there is one."""
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def refusal(self, token: str) -> str:
        with pytest.raises(InvalidTokenError) as refused:
            await self.tokens.verify(token)
        assert token not in str(refused.value)
        return str(refused.value)

    async def unavailable(self, token: str = "") -> str:
        with pytest.raises(TokensUnavailableError) as error:
            await self.tokens.verify(token or a_token())
        return str(error.value)


@pytest.fixture
def world() -> Iterator[World]:
    with FeedServer(jwks(RSA, EC, ED)) as server:
        yield World(server)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
async def test_a_good_token_says_who_it_is(world: World, key: Key, algorithm: str) -> None:
    assert await world.tokens.verify(a_token(key, algorithm)) == Principal("robot", Role.WRITER, "token:robot")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # of signing with EdDSA, in the test
async def test_an_edwards_curve_is_good_too(world: World) -> None:
    assert (await world.tokens.verify(a_token(ED, "EdDSA"))).name == "robot"


async def test_a_forged_signature_is_refused(world: World) -> None:
    forger = RSAKey.generate_key(2048, {"kid": "one"})
    head, _, signature = a_token().split(".")
    richer = encoded(CLAIMS | {"scope": "marquee:admin"})

    assert "signature" in await world.refusal(a_token(forger))
    assert "signature" in await world.refusal(f"{head}.{richer}.{signature}")
    assert "signature" in await world.refusal(f"{head}.{encoded(CLAIMS)}.AAAA")
    assert "signature" in await world.refusal(f"{head}.{encoded(CLAIMS)}.")


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": AT - 31}, "has expired"),
        ({"exp": None}, "exp missing"),
        ({"exp": "tomorrow"}, "exp missing or wrong"),
        ({"exp": True}, "exp missing or wrong"),
        ({"nbf": AT + 31}, "not valid yet"),
        ({"iat": AT + 31}, "not valid yet"),
        ({"aud": "others"}, "another audience"),
        ({"aud": ["others", "more"]}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": {"marquee": 1}}, "another audience"),
        ({"iss": "https://evil.example/"}, "another issuer"),
        ({"iss": ISSUER.rstrip("/")}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"iss": [ISSUER]}, "another issuer"),
        ({"sub": None}, "sub missing"),
        ({"sub": ""}, "sub missing"),
        ({"sub": 7}, "sub missing or wrong"),
        ({"sub": "a\nb"}, "can be shown"),
        ({"sub": "a" * 256}, "255 characters"),
        ({"scope": None}, "none of the scopes"),
        ({"scope": "openid marquee:reade"}, "none of the scopes"),
        ({"scope": {"marquee:admin": 1}}, "none of the scopes"),
        ({"scope": ["marquee:", 7]}, "none of the scopes"),
    ],
)
async def test_claims_that_are_not_good_are_refused_and_named(world: World, claims: dict[str, Any], said: str) -> None:
    assert said in await world.refusal(a_token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": AT - 29},
        {"nbf": AT + 29},
        {"iat": AT + 29},
        {"aud": ["others", AUDIENCE]},
        {"exp": AT + 0.5},
        {"exp": 10**400},
    ],
)
async def test_what_is_within_the_leeway_or_meant_for_several_is_good(world: World, claims: dict[str, Any]) -> None:
    assert (await world.tokens.verify(a_token(**claims))).name == "robot"


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"scope": "marquee:reader"}, Role.READER),
        ({"scope": "marquee:reader marquee:operator marquee:writer"}, Role.OPERATOR),
        ({"scope": ["marquee:admin"]}, Role.ADMIN),
        ({"scope": None, "scp": ["marquee:writer", "x"]}, Role.WRITER),
        ({"scope": None, "scp": "x marquee:admin"}, Role.ADMIN),
        ({"scope": "marquee:reader", "scp": ["marquee:writer"]}, Role.WRITER),
    ],
)
async def test_the_highest_scope_counts(world: World, claims: dict[str, Any], role: Role) -> None:
    assert (await world.tokens.verify(a_token(**claims))).role is role


async def test_a_token_without_a_signature_is_refused(world: World) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        bare = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(CLAIMS)}."

        assert "signature by RS256" in await world.refusal(bare)


async def test_a_public_key_is_no_secret_to_sign_with(world: World) -> None:
    for pem in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        signed = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(CLAIMS)}"
        token = f"{signed}.{encoded(hmac.digest(pem, signed.encode(), 'sha256'))}"

        assert "signature by RS256" in await world.refusal(token)


async def test_an_algorithm_that_is_not_listed_is_refused_though_the_signature_is_right(world: World) -> None:
    assert "signature by RS256" in await world.refusal(a_token(RSA, "PS256"))


async def test_a_key_verifies_by_its_own_algorithm_only(world: World) -> None:
    assert "names no key" in await world.refusal(a_token(RSA, "RS256", {"kid": "ec"}))


@pytest.mark.parametrize("type_", ["at+jwt", "AT+JWT", "application/at+jwt", "jwt", "JWT"])
async def test_access_tokens_are_taken(world: World, type_: str) -> None:
    assert (await world.tokens.verify(a_token(header={"typ": type_}))).name == "robot"


async def test_a_token_need_not_say_its_type_and_may_say_things_nobody_knows(world: World) -> None:
    knows_more = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    header = {"alg": "RS256", "kid": "one", "vendor": {"x": 1}}
    token = jwt.encode(header, CLAIMS, RSA, registry=knows_more, default_type=None)

    assert (await world.tokens.verify(token)).name == "robot"


@pytest.mark.parametrize("type_", ["logout+jwt", "secevent+jwt", "dpop+jwt", "id", ""])
async def test_tokens_of_other_types_are_refused(world: World, type_: str) -> None:
    assert "another type" in await world.refusal(a_token(header={"typ": type_}))


async def test_extensions_that_must_be_understood_are_refused(world: World) -> None:
    _, claims, signature = a_token().split(".")
    for header in ({"crit": ["exp"], "exp": 1}, {"b64": False, "crit": ["b64"]}, {"b64": True}):
        changed = encoded({"alg": "RS256", "kid": "one", **header})

        assert "extensions" in await world.refusal(f"{changed}.{claims}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        "e30.e30.e30",
        f"{encoded([])}.e30.e30",
        f"{encoded('alg')}.e30.e30",
        f"{encoded({'alg': ['RS256']})}.e30.e30",
        f"{encoded(b'[' * 3000)}.e30.e30",
        f"{encoded({'alg': 'RS256', 'kid': ['one']})}.e30.e30",
        f"{encoded({'alg': 'RS256', 'kid': 'one', 'x5c': 7})}.e30.e30",
        f"{encoded({'alg': 'RS256', 'kid': 'one' * 900})}.e30.e30",
        "ä.ö.ü",
        "a" * (LONGEST_TOKEN + 1),
        "a.b.c.d",
        "",
    ],
)
async def test_what_is_no_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(InvalidTokenError):
        await world.tokens.verify(token)


async def test_signed_claims_that_are_no_object_are_refused(world: World) -> None:
    for payload in (b"[]", b"7", b"{", b"[" * 3000, b'{"exp":' + b"9" * 5000 + b"}"):
        token = jws.serialize_compact({"alg": "RS256", "kid": "one"}, payload, RSA)

        assert "no token (JWT)" in await world.refusal(token)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(max_codepoint=300), max_size=200))
def test_no_text_breaks_the_verifier(text: str) -> None:
    async def ask() -> None:
        with FeedServer(jwks(RSA)) as server:
            world = World(server)
            for token in (text, f"{encoded({'alg': 'RS256'})}.{text}.{text}", f"{text}.{text}.{text}"):
                with pytest.raises(InvalidTokenError):
                    await world.tokens.verify(token)

    asyncio.run(ask())


async def test_a_token_that_names_no_key_is_taken_when_only_one_fits(world: World) -> None:
    nameless = jwt.encode({"alg": "RS256"}, CLAIMS, RSA)

    assert (await world.tokens.verify(nameless)).name == "robot"

    world.server.answers(jwks(RSA, OTHER_RSA))
    world.seconds += 301
    await world.tokens.verify(nameless)
    await world.fetched()
    assert "leaves open" in await world.refusal(nameless)


async def test_keys_are_fetched_once_as_long_as_they_are_fresh(world: World) -> None:
    for _ in range(3):
        await world.tokens.verify(a_token())
    world.seconds += 299
    await world.tokens.verify(a_token())
    fresh = len(world.server.requests)
    world.seconds += 2
    await world.tokens.verify(a_token())
    await world.fetched()

    assert (fresh, len(world.server.requests)) == (1, 2)
    assert world.server.requests[0].headers["accept-encoding"] == "identity"


async def test_many_at_once_share_one_fetch(world: World) -> None:
    await asyncio.gather(*(world.tokens.verify(a_token()) for _ in range(20)))

    assert len(world.server.requests) == 1


async def test_a_rotated_key_is_fetched_when_a_token_names_it(world: World) -> None:
    await world.tokens.verify(a_token())
    world.server.answers(jwks(OTHER_RSA))
    world.seconds += PAUSE

    assert (await world.tokens.verify(a_token(OTHER_RSA))).name == "robot"
    assert "names no key" in await world.refusal(a_token(RSA))


async def test_unknown_keys_do_not_make_us_fetch_again_and_again(world: World) -> None:
    await world.tokens.verify(a_token())
    world.seconds += PAUSE
    for number in range(5):
        await world.refusal(a_token(header={"kid": f"made up {number}"}))
    first = len(world.server.requests)
    world.seconds += PAUSE
    await asyncio.gather(*(world.refusal(a_token(header={"kid": f"{number}"})) for number in range(5)))

    assert (first, len(world.server.requests)) == (2, 3)


async def test_stale_keys_are_good_while_their_issuer_is_away_and_then_not(world: World) -> None:
    await world.tokens.verify(a_token())
    world.server.stop()
    world.seconds += 300 + 3600
    stale = await world.tokens.verify(a_token())
    world.seconds += 1

    assert stale.name == "robot"
    assert "ConnectError" in await world.unavailable()


async def test_while_the_issuer_is_away_it_is_asked_once_in_a_while(world: World) -> None:
    await world.tokens.verify(a_token())
    world.server.answers(answer(500))
    world.seconds += 301
    for _ in range(3):
        await world.tokens.verify(a_token())
        await world.fetched()
    first = len(world.server.requests)
    world.seconds += PAUSE
    await world.tokens.verify(a_token())
    await world.fetched()

    assert (first, len(world.server.requests)) == (2, 3)


async def test_without_any_key_the_issuer_is_asked_again_after_a_second() -> None:
    with FeedServer(answer(503), jwks(RSA)) as server:
        world = World(server)

        assert "expected 200, found 503" in await world.unavailable()
        assert "expected 200, found 503" in await world.unavailable()
        world.seconds += SHORT_PAUSE
        assert (await world.tokens.verify(a_token())).name == "robot"
        assert len(server.requests) == 2


async def test_nobody_with_usable_keys_waits_for_a_fetch(world: World) -> None:
    await world.tokens.verify(a_token())
    world.server.answers(silence())
    world.seconds += 301
    began = time.monotonic()

    asks = await world.tokens.verify(a_token())
    while len(world.server.requests) < 2:  # noqa: ASYNC110 - the server is in another thread
        await asyncio.sleep(0.01)
    meanwhile = await world.tokens.verify(a_token())

    assert asks.name == meanwhile.name == "robot"
    assert time.monotonic() - began < world.jwks.within


async def test_whoever_leaves_does_not_end_the_fetch_for_the_others() -> None:
    all_left = threading.Event()

    async def late(request: Request, writer: asyncio.StreamWriter) -> None:
        while not all_left.is_set():  # noqa: ASYNC110 - the test is in another thread
            await asyncio.sleep(0.01)
        await jwks(RSA)(request, writer)

    with FeedServer(late) as server:
        world = World(server)
        world.jwks.within = 30
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await world.tokens.verify(a_token())
        all_left.set()

        assert (await world.tokens.verify(a_token())).name == "robot"
        assert len(server.requests) == 1


def test_a_fetch_ends_before_those_who_wait_to_be_let_in_are_sent_away() -> None:
    assert Jwks("http://x/", PinnedRequest()).within < LOOK_UP_TIMEOUT


def test_a_fetch_that_goes_on_ends_with_the_process_and_leaves_no_word(caplog: pytest.LogCaptureFixture) -> None:
    async def ask_and_end() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await World(server).tokens.verify(a_token())

    with FeedServer(silence()) as server:
        began = time.monotonic()
        asyncio.run(ask_and_end())

    assert time.monotonic() - began < 2
    assert not caplog.records


async def test_why_there_are_no_keys_is_told_once_and_so_is_that_there_are_again(world: World) -> None:
    with capture_logs() as lines:
        await world.tokens.verify(a_token())
        for answers in (answer(500), answer(500), answer(404), jwks(RSA)):
            world.server.answers(answers)
            world.seconds += 301
            await world.tokens.verify(a_token())
            await world.fetched()

    assert [line.get("reason") for line in lines] == ["expected 200, found 500", "expected 200, found 404", None]
    assert "again" in lines[-1]["event"]


async def test_an_issuer_that_is_silent_is_not_waited_for_long() -> None:
    with FeedServer(silence()) as server:
        world = World(server)
        world.jwks.within = 0.3

        assert "within 0.3 s" in await world.unavailable()


def document(*entries: Any) -> Answer:
    return answer(200, json.dumps({"keys": entries}).encode())


def small_rsa() -> dict[str, Any]:
    key = generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": "one", "n": encoded(numbers.n.to_bytes(128)), "e": "AQAB"}


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (answer(302, Location="/elsewhere"), "found 302"),
        (answer(404), "found 404"),
        (answer(200, b"<html>"), "expected JSON"),
        (answer(200, b"[" * 2_000), "expected JSON"),
        (answer(200, b"[]"), "expected an object"),
        (answer(200, b'{"keys":{}}'), "expected an object"),
        (answer(200, b" " * (LARGEST + 1)), "262,144 bytes"),
        (answer(200, b"{}", Content_Encoding="gzip"), "Content-Encoding 'gzip'"),
        (document(), "none of the keys"),
        (document({"kty": "oct", "kid": "one", "k": "c2VjcmV0"}), "none of the keys"),
        (document({"kty": "AKP", "kid": "one"}, 7, None, {"kty": ["RSA"]}), "none of the keys"),
        (document(small_rsa()), "none of the keys"),
        (document({"kty": "RSA", "n": "é", "e": "AQAB"}, {"kty": "RSA"}), "none of the keys"),
        (document({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}), "none of the keys"),
        (document({"kty": "EC", "crv": "P-0", "x": 7, "y": None}), "none of the keys"),
        (document(RSA.as_dict(private=False) | {"use": "enc"}), "none of the keys"),
        (document(RSA.as_dict(private=False) | {"kid": 7}), "none of the keys"),
    ],
)
async def test_documents_that_bring_no_keys_are_named(answered: Answer, said: str) -> None:
    with FeedServer(answered) as server:
        assert said in await World(server).unavailable()
        assert len(server.requests) == 1


async def test_one_bad_key_does_not_spoil_the_others_and_a_private_part_is_not_kept() -> None:
    with FeedServer(document({"kty": "EC", "crv": "P-0"}, RSA.as_dict(private=True))) as server:
        world = World(server)

        assert (await world.tokens.verify(a_token())).name == "robot"
        assert not (await world.jwks.keys())[0].is_private


async def test_a_private_address_is_refused_unless_it_is_allowed() -> None:
    with FeedServer(jwks(RSA)) as server:
        world = World(server, AddressPolicy())

        assert "expected a public one" in await world.unavailable()
        assert server.requests == []


@pytest.mark.parametrize("algorithms", [(), ("none",), ("RS256", "HS256")])
def test_algorithms_that_prove_nothing_cannot_be_configured(algorithms: tuple[str, ...]) -> None:
    rules = TokenRules(issuer=ISSUER, audience=AUDIENCE, algorithms=algorithms, scopes={})

    with pytest.raises(ValueError, match="public keys"):
        JwksTokens(rules, Jwks("http://x/", PinnedRequest()), FixedClock())
