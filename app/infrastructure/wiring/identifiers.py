"""Where ids and secrets come from."""

import secrets
from uuid import UUID, uuid4

import uuid_utils

from app.domain.api_keys import ALPHABET


def new_run_id() -> str:
    """Make an id for a run."""
    return str(uuid4())


def new_id() -> UUID:
    """Make an id for what came without one: UUIDv7 (RFC 9562), so that later ones sort behind."""
    return UUID(int=uuid_utils.uuid7().int)


def random_text(length: int) -> str:
    """Make text that nobody can guess, in the characters of keys."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
