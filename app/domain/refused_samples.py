"""Samples of what doors did not take, for whoever mends the sender: short, and without keys. Pure."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.domain.api_keys import KEY

LARGEST_SAMPLE = 2048
"""Characters."""
LONGEST_MESSAGE = 500
MASK = "[a key]"
_SECRETS = re.compile(
    rf"{KEY.pattern}|\beyJ[\w-]{{5,}}\.[\w-]+\.[\w-]*|(?<=Bearer )[\w.~+/=-]+|(?<=Basic )[\w+/=-]+", re.ASCII
)
"""Our keys, tokens of other issuers, and what stands in a header of authorization."""
_BEYOND = 128
"""Characters behind a sample that are looked at too: a key that is cut in two is none to a pattern."""


@dataclass(frozen=True, slots=True)
class RefusedSample:
    """Something that was not taken."""

    reason: str
    """A stable word for programs."""
    message: str
    record: str
    """The beginning of the record as it was sent; empty where nobody has it."""
    noted_at: datetime

    def names(self, users: Collection[str]) -> bool:
        """Tell whether one of the ids stands in the record."""
        return any(
            json.dumps(user, ensure_ascii=plain)[1:-1] in self.record for user in users for plain in (False, True)
        )


def shown_sample(sent: bytes) -> str:
    """Cut a record, and mask what may be a key."""
    text = sent[: 4 * (LARGEST_SAMPLE + _BEYOND)].decode(errors="replace")[: LARGEST_SAMPLE + _BEYOND]
    return _SECRETS.sub(MASK, text)[:LARGEST_SAMPLE]


def shown_message(message: str) -> str:
    """Cut what quotes a record, and mask the same."""
    return _SECRETS.sub(MASK, message[:LONGEST_MESSAGE])
