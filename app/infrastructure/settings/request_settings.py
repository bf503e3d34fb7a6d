"""How a provider is asked over HTTP. What is secret may come from the environment, and stands in no message."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from app.infrastructure.settings.settings_section import SettingsSection

MOST_HEADERS = 50
LONGEST_VALUE = 8_192
LONGEST_BODY = 1024**2

_VARIABLE = re.compile(r"\$(\$?)\{([^{}]*)\}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_SENDABLE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")
_TAKEN = {
    "accept-encoding": "Marquee says what it can unpack",
    "content-type": "write it as content_type",
    "user-agent": "write it as user_agent",
    **dict.fromkeys(("host", "content-length", "content-encoding"), "it follows from the request"),
    **dict.fromkeys(
        ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"),
        "Marquee asks for whole feeds, by the validators of the last one",
    ),
    **dict.fromkeys(
        (
            *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade"),
            *("expect", "proxy-authorization", "proxy-authenticate", "http2-settings"),
        ),
        "it belongs to the connection",
    ),
}


def filled(said: Any) -> Any:
    """Put in the variables of the environment that a text names: `${NAME}`; `$${` stands for `${`."""
    return _VARIABLE.sub(_value, said) if isinstance(said, str) else said


def _value(found: re.Match[str]) -> str:
    escaped, name = found.groups()
    if escaped:
        return found[0][1:]
    if not os.environ.get(name):
        raise ValueError(f"expected the environment variable {name!r}, found none, or an empty one")
    return os.environ[name]


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError("expected the name of a header, such as Authorization")
    if name.lower() in _TAKEN:
        raise ValueError(f"{name} cannot be configured: {_TAKEN[name.lower()]}")
    return name


def _header_value(value: SecretStr) -> SecretStr:
    if not _SENDABLE.fullmatch(value.get_secret_value()):
        raise ValueError("expected visible ASCII characters, with blanks only between them")
    return value


def _once(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    names = [name.lower() for name in headers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected each header once, found twice: {', '.join(twice)}")
    return headers


def _visible(text: str) -> str:
    if not _SENDABLE.fullmatch(text):
        raise ValueError("expected visible ASCII characters, with blanks only between them")
    return text


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[
    SecretStr, BeforeValidator(filled), Field(max_length=LONGEST_VALUE), AfterValidator(_header_value)
]
Body = Annotated[SecretStr, BeforeValidator(filled), Field(max_length=LONGEST_BODY)]
Visible = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_visible)]


class ClientCertificate(SettingsSection):
    """The certificate by which a provider knows us, in PEM."""

    certificate: Path
    key: Path | None = None


class RequestSettings(SettingsSection):
    """The keys of a provider that say how it is asked."""

    method: Literal["GET", "POST"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=MOST_HEADERS), AfterValidator(_once)] = Field(
        default={}
    )
    user_agent: Visible = "marquee"
    body: Body | None = None
    content_type: Visible = "application/json"
    ca_file: Path | None = None
    client_certificate: ClientCertificate | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> "RequestSettings":
        if self.method == "GET" and not {"body", "content_type"}.isdisjoint(self.differing()):
            raise ValueError("body, content_type: belong to `method: POST`")
        return self

    def differing(self) -> list[str]:
        """Name those of these keys that are not as they are by default."""
        return [name for name, key in RequestSettings.model_fields.items() if getattr(self, name) != key.default]
