"""Tokens of another issuer: JWTs as access tokens (RFC 9068), verified by the issuer's public keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ClaimError, ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry

from app.adapters.outbound.jwt.jwks import Jwks, PublicKey
from app.application.ports.system import Clock
from app.application.ports.users import InvalidTokenError, Tokens
from app.domain.access import Principal, Role

LONGEST_TOKEN = 8192
LONGEST_HEADER = 2048
LONGEST_SUBJECT = 255
"""Characters, as OpenID Connect has it."""
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
"""What the header `typ` may say, case not counted; an ID token or a logout token of the same issuer says otherwise."""
NOT_ALLOWED = ("none", "HS")
"""How the names of algorithms begin that are never taken, whatever the configuration says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """Which tokens are taken, and what their scopes are good for."""

    issuer: str
    audience: str
    algorithms: Sequence[str]
    scopes: Mapping[str, Role]
    leeway: float = 30.0
    """Seconds by which the issuer's clock may differ from ours."""


class _Registry(JWSRegistry):
    """joserfc's, without its warning of EdDSA: the name is old, the signature is not."""

    def get_alg(self, name: str) -> Any:
        """Give an algorithm that the configuration lists, and nothing else."""
        if not isinstance(name, str) or name not in (self.allowed or ()) or name not in self.algorithms:
            raise InvalidTokenError(f"expected a signature by {', '.join(self.allowed or ())}, found another")
        return self.algorithms[name]


class JwksTokens(Tokens):
    """Verifies by the keys at the issuer's JWKS URL.

    Raises:
        ValueError: when made with an algorithm that is proof of nothing, or of a secret that both sides share.
    """

    def __init__(self, rules: TokenRules, jwks: Jwks, clock: Clock) -> None:
        if not rules.algorithms or any(name.startswith(NOT_ALLOWED) for name in rules.algorithms):
            raise ValueError(f"expected algorithms with public keys, found {', '.join(rules.algorithms)!r}")
        self._rules = rules
        self._jwks = jwks
        self._clock = clock
        self._registry = _Registry(algorithms=list(rules.algorithms), strict_check_header=False)
        self._registry.max_header_length = LONGEST_HEADER

    async def verify(self, token: str) -> Principal:
        """Check the header, the signature, then the claims."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise InvalidTokenError(f"expected a token of at most {LONGEST_TOKEN:,} characters of ASCII")
        try:
            header = self._header_of(token)
            key = await self._key_for(header)
            claims = jwt.decode(token, key, registry=self._registry).claims
            self._check(claims)
        except BadSignatureError as error:
            raise InvalidTokenError("the signature of this token is not its issuer's") from error
        except ClaimError as error:
            raise InvalidTokenError(_said(error)) from error
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise InvalidTokenError("this is no token (JWT) that can be read") from error
        return self._principal(claims)

    def _header_of(self, token: str) -> dict[str, Any]:
        header = jws.extract_compact(token.encode(), registry=self._registry).headers()
        if not isinstance(header, dict):
            raise TypeError(header)
        self._registry.get_alg(header["alg"])
        if str(header.get("typ", "JWT")).lower() not in TYPES:
            raise InvalidTokenError("expected an access token (JWT or at+jwt), found a token of another type")
        if "crit" in header or "b64" in header:
            raise InvalidTokenError("this token asks for extensions that are not known here")
        return header

    async def _key_for(self, header: Mapping[str, Any]) -> PublicKey:
        fitting = _fitting(await self._jwks.keys(), header, self._registry)
        if not fitting:
            fitting = _fitting(await self._jwks.keys_after_a_look(), header, self._registry)
        if len(fitting) != 1:
            raise InvalidTokenError("this token names no key of its issuer, or leaves open which it is (kid)")
        return fitting[0]

    def _check(self, claims: dict[str, Any]) -> None:
        rules, now = self._rules, int(self._clock.now().timestamp())
        jwt.JWTClaimsRegistry(
            now,
            int(rules.leeway),
            iss={"essential": True, "value": rules.issuer},
            aud={"essential": True, "value": rules.audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(claims)

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        subject = claims["sub"]
        if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
            raise InvalidTokenError(f"expected a subject of at most {LONGEST_SUBJECT} characters that can be shown")
        scopes = {*_words(claims.get("scope")), *_words(claims.get("scp"))}
        roles = [role for scope, role in self._rules.scopes.items() if scope in scopes]
        if not roles:
            raise InvalidTokenError(f"this token has none of the scopes {', '.join(self._rules.scopes)}")
        return Principal(subject, max(roles, key=list(Role).index), f"token:{subject}")


def _fitting(keys: Iterable[PublicKey], header: Mapping[str, Any], registry: JWSRegistry) -> list[PublicKey]:
    """Choose the keys by which a token may be signed: of the name that it has, if it has one, and of the right type."""
    kid, algorithm = header.get("kid"), registry.get_alg(header["alg"])
    return [
        key
        for key in keys
        if (kid is None or key.kid == kid)
        and key.key_type == algorithm.key_type
        and key.get("alg", algorithm.name) == algorithm.name
    ]


def _words(claim: object) -> Sequence[str]:
    """Read scopes: one text with blanks between them, or a list; both are in use, under both names."""
    if isinstance(claim, str):
        return claim.split()
    return [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else ()


def _said(error: ClaimError) -> str:
    if isinstance(error, ExpiredTokenError):
        return "this token has expired"
    match error.claim:
        case "iss":
            return "this token is of another issuer"
        case "aud":
            return "this token is meant for another audience"
        case "nbf" | "iat":
            return "this token is not valid yet"
        case claim:
            return f"expected a token with good claims iss, aud, exp and sub, found {claim} missing or wrong"
