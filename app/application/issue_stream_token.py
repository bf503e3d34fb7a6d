"""Issue a token for the URL of a stream, of a key that came in a header."""

from dataclasses import dataclass
from datetime import datetime

from app.application.ports.system import Clock
from app.application.ports.users import ApiKeys
from app.domain.access import Principal, UnauthenticatedError
from app.domain.stream_tokens import TO_CONNECT, make_token


@dataclass(frozen=True, slots=True)
class IssueStreamToken:
    """Give whoever has a key a token of it, with which a stream may begin for a minute."""

    keys: ApiKeys
    clock: Clock

    async def __call__(self, principal: Principal | None) -> tuple[str, datetime]:
        """Give the token, and until when it opens a stream.

        Raises:
            UnauthenticatedError: nobody is known by a key.
            HistoryUnavailableError: the database does not serve.
        """
        owned = await self.keys.find(principal.key_id) if principal and principal.key_id else None
        if owned is None:
            raise UnauthenticatedError("a stream token is made of a key: send `Authorization: Bearer KEY`")
        expires_at = (self.clock.now() + TO_CONNECT).replace(microsecond=0)
        return make_token(owned.key, expires_at), expires_at
