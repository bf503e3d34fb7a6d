"""What a protocol asks that answers some requests itself, in front of ASGI (ADR 0084)."""

from abc import abstractmethod
from enum import Enum
from typing import Protocol

from app.adapters.inbound.http.connection.usual_heads import UsualHead

Answer = tuple[int, list[bytes | memoryview]]
"""A status; and bytes: header fields from the type on, the empty line, and the body. Small enough for one write."""


class Elsewhere(Enum):
    """Why there is no quick answer: the application is to be asked."""

    ORDINARY = 0
    TRACED = 1
    """It was chosen to be traced; nobody is to choose again."""


class QuickAnswers(Protocol):
    """Answers to `GET` of one path at once: nothing is waited for."""

    @property
    @abstractmethod
    def path(self) -> bytes:
        """The path."""

    @abstractmethod
    def answer(self, query: bytes, head: UsualHead) -> Answer | Elsewhere:
        """Answer as the application would, byte for byte, and count the answer as it does; or leave it to that.

        Never raises what the application would not: whatever goes wrong here goes wrong there, in words.
        """
