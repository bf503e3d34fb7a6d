"""Headers of webhooks as the command line says them: `Name: value`, or a file of such lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.domain.webhook_errors import InvalidWebhookError

LARGEST_FILE = 64 * 1024
"""Bytes that are read of a file of headers."""


def read_headers(given: Sequence[str]) -> dict[str, str]:
    """Read some; of a name that comes twice the last counts.

    Raises:
        InvalidWebhookError: one has no colon, or a file cannot be read. No value is in the message.
    """
    return dict(_read(line) for one in given for line in _lines(one) if line.strip())


def _lines(given: str) -> Iterator[str]:
    if not given.startswith("@"):
        yield given
        return
    try:
        with Path(given[1:]).open("rb") as file:
            yield from file.read(LARGEST_FILE).decode().splitlines()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InvalidWebhookError("headers", f"{given[1:]} cannot be read: {why}") from None


def _read(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise InvalidWebhookError("headers", "expected 'NAME: VALUE'")
    return name.strip(), value.strip()
