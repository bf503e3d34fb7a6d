"""Media types as headers write them (RFC 9110, 8.3)."""

from typing import NamedTuple

JSON = "application/json"
_UTF8 = ("utf-8", "utf8", "us-ascii")


class MediaType(NamedTuple):
    """What a body is said to be."""

    kind: str
    """In small letters, without parameters, such as application/json."""
    charset: str
    """In small letters; utf-8 where none is named."""

    @property
    def is_utf8(self) -> bool:
        """Whether its text is UTF-8, as all JSON is (RFC 8259)."""
        return self.charset in _UTF8

    @property
    def is_json(self) -> bool:
        """Whether it is JSON, under any name."""
        return self.kind == JSON or self.kind.endswith("+json") or self.kind == "text/json"


def media_type(given: str) -> MediaType:
    """Read a Content-Type; whatever it is, it is a kind of its own."""
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    charsets = [value.strip('" ') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"]
    return MediaType(kind, charsets[0] if charsets else "utf-8")
