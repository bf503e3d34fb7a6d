"""Who posts activities: servers by their keys, pages by a publishable key, which may stand in what they send.

A browser posts text for any page, without asking: so text counts as JSON only for pages of origins that may post.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from starlette.types import Scope

from app.adapters.inbound.http.access.access_errors import OriginNotAllowedError
from app.adapters.inbound.http.access.body_keys import take_key
from app.adapters.inbound.http.access.credentials import credential_of
from app.adapters.inbound.http.access.gatekeeper import ANONYMOUS, Admission, Gatekeeper
from app.domain.access import Area
from app.domain.publishable_keys import ANY_ORIGIN
from app.domain.senders import UNKNOWN_SENDER, Sender

TEXT, JSON = b"text/plain", b"application/json"
CLOUD_EVENT = b"ce-specversion"
"""With it text is the data of an event; and no browser sends it for a page that was not asked about."""
NOWHERE = "null"
"""The origin of a page that has none to name: a file, a frame without rights, or one that hides its address."""
MOST_UNKNOWN = 256 * 1024
"""Bytes of a body that is read, packed and unpacked, before it is known whose it is. A browser sends 64 KiB of a page
that closes."""


class PostingGate:
    """Lets posts in; `expects` tells for which origins there are publishable keys, as with_cors is told."""

    def __init__(
        self,
        gatekeeper: Gatekeeper,
        expects: Callable[[str], bool] = lambda _: False,
        cors_origins: Collection[str] = (),
    ) -> None:
        self._gatekeeper = gatekeeper
        self._expects = expects
        self._cors_origins = frozenset(cors_origins)

    async def admit(self, posting: "Posting") -> None:
        """Let a post in, as far as can be told without its body.

        Raises:
            OriginNotAllowedError: it is text of a page that may not post text, or its key is for other pages.
            Exception: as Gatekeeper.admit does.
        """
        origin = posting.headers.get(b"origin")
        if origin is None:
            posting.admission = await self._gatekeeper.admit(posting.scope, Area.INGEST)
        else:
            await self._admit_page(posting, origin.decode("latin-1"))

    async def admit_by_body(self, posting: "Posting", key: str | None) -> None:
        """Let it in by the key that its body has, if it has one.

        Raises:
            Exception: as Gatekeeper.admit does.
        """
        if key is not None or not posting.is_known:
            posting.admission = await self._gatekeeper.admit(posting.scope, Area.INGEST, key)

    def sender_of(self, posting: "Posting") -> Sender:
        """Say who sends it, and what they may send."""
        principal = posting.admission.principal
        if principal is None:
            is_named = b"idempotency-key" in posting.headers  # else nobody asks, and it takes its time
            return Sender(self._gatekeeper.address_of(posting.scope)) if is_named else UNKNOWN_SENDER
        may = principal.publishable
        return Sender(principal.caller, publishable=may is not None, types=may.types if may else None)

    async def _admit_page(self, posting: "Posting", origin: str) -> None:
        is_expected = self._expects(origin) or self._expects(ANY_ORIGIN)
        if is_expected and self._gatekeeper.must_be_told(posting.scope, Area.INGEST):
            await self._gatekeeper.count(posting.scope, Area.INGEST)
            posting.is_known = False
        else:
            posting.admission = await self._gatekeeper.admit(posting.scope, Area.INGEST)
        kind, _, parameters = posting.headers.get(b"content-type", b"").partition(b";")
        if kind.strip().lower() == TEXT and CLOUD_EVENT not in posting.headers:
            self._check_text(origin, is_expected=is_expected)
            posting.headers[b"content-type"] = JSON + b";" + parameters if parameters else JSON

    def _check_text(self, origin: str, *, is_expected: bool) -> None:
        """Let text of pages that may post pass.

        Raises:
            OriginNotAllowedError: a page of any other origin could send it, too.
        """
        named = is_expected or origin in self._cors_origins or ANY_ORIGIN in self._cors_origins
        if origin == NOWHERE or not named:
            raise OriginNotAllowedError(
                f"text of a page of {origin[:100]!r} is not taken for JSON: make a publishable key for that origin, "
                "list it in security.cors_origins, or send application/json"
            )


@dataclass(slots=True)
class Posting:
    """One post, let in by a gate, perhaps only until its body says whose it is; without a gate everybody is let in."""

    scope: Scope
    gate: PostingGate | None = None
    headers: dict[bytes, bytes] = field(default_factory=dict)
    """By their names in small letters; text that counts as JSON is called so."""
    admission: Admission = ANONYMOUS
    is_known: bool = True
    """Whether it was let in already; else its body must bring a key."""

    def __post_init__(self) -> None:
        self.headers = dict(self.scope["headers"])

    @property
    def most(self) -> int | None:
        """How large a body may be for all that is known of its sender, in bytes; None: as any other's."""
        return None if self.is_known else MOST_UNKNOWN

    async def open(self, body: bytes) -> tuple[bytes, Sender]:
        """Take the key out of the body, and say who sends the rest.

        Raises:
            Exception: as Gatekeeper.admit does.
        """
        if self.gate is None:
            return body, UNKNOWN_SENDER
        key, rest = take_key(body, lambda: credential_of(self.scope["headers"]))
        await self.gate.admit_by_body(self, key)
        return rest, self.gate.sender_of(self)
