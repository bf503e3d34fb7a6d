"""Why a request is not let in, or leads nowhere."""

from collections.abc import Iterable

from app.adapters.inbound.http.describing.answers import Fields


class UnknownPathError(Exception):
    """There is nothing at a path."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Not Found")


class WrongMethodError(Exception):
    """There is something at a path, but nothing that can be done to it by this method."""

    def __init__(self, allowed: Iterable[str]) -> None:
        """Keep the methods that would be right."""
        super().__init__("Method Not Allowed")
        self.fields: Fields = ((b"allow", ", ".join(sorted(allowed)).encode()),)


class RateLimitedError(Exception):
    """Somebody asks too often; `fields` of the answer say when to come again."""

    def __init__(self, message: str, fields: Fields) -> None:
        """Keep the fields."""
        super().__init__(message)
        self.fields = fields


class ForeignPageError(Exception):
    """A browser sends this for a page of another site."""

    def __init__(self) -> None:
        """Say what is allowed."""
        super().__init__("a browser sent this for a page of another site; send it from a page of this one, or by curl")


class OriginNotAllowedError(Exception):
    """A page of an origin sends what only pages of other ones may."""


class MisplacedKeyError(Exception):
    """A secret key stands where others read it: in a URL, or in what a page sends."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "a secret key belongs in a header, neither in a URL nor in a body, where others read it: replace this one"
        )


class UnknownHostError(Exception):
    """Somebody without a key asks for this machine by a name that may be a foreign page's."""

    def __init__(self, host: str) -> None:
        """Say which name, and what helps."""
        super().__init__(
            f"expected a Host that is an IP address or localhost, found {host[:100]!r}: "
            "send a key, or list the host in security.hosts"
        )
