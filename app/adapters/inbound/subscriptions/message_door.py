"""The door of a subscription: a message becomes a delivery, and what came of that its fate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from app.adapters.inbound.intake.delivery_ids import IDEMPOTENCY_KEY
from app.adapters.inbound.intake.form_of import IN_HEADERS, form_of
from app.adapters.inbound.intake.intake import Delivery, Form, Intake
from app.adapters.inbound.intake.intake_errors import (
    InvalidIdempotencyKeyError,
    NoActivitiesError,
    NotABatchError,
    NotAnActivityError,
    TooDeepToSplitError,
    TooLargeToSplitError,
    TooManyActivitiesError,
    TooMuchSharedError,
    UnknownFormError,
)
from app.adapters.inbound.reading.refusals import NotJsonError
from app.adapters.inbound.subscriptions.subscription import Fate, Message
from app.domain.senders import Sender

CONTENT_TYPE = b"content-type"
LONGEST_KEY = 200

ChooseForm = Callable[[Mapping[bytes, bytes]], Form]
"""Tells by the headers of a message how its activities are written; raises UnknownFormError."""


class MessageTooLargeError(ValueError):
    """A message is larger than anything that is taken."""


UNREADABLE: Mapping[type[Exception], str] = {
    InvalidIdempotencyKeyError: "invalid_idempotency_key",
    NotJsonError: "invalid_json",
    NotAnActivityError: "not_an_object",
    NotABatchError: "invalid_batch",
    NoActivitiesError: "no_activities",
    TooDeepToSplitError: "too_deep",
    TooLargeToSplitError: "too_large",
    MessageTooLargeError: "too_large",
    TooManyActivitiesError: "too_many",
    TooMuchSharedError: "too_large",
    UnknownFormError: "unsupported_media_type",
}
"""What a body may be that nothing can ever be taken of, by the words that HTTP has for it."""


@dataclass(frozen=True, slots=True)
class MessageDoor:
    """Takes the activities of messages in; each is counted once, however often its message comes."""

    intake: Intake
    sender: Sender
    """Its name tells the subscription from all others, for ever."""
    form_of: ChooseForm
    most_bytes: int

    async def take(self, message: Message) -> Fate:
        """Take what can be taken of a message. What is refused is told as HTTP's refusals are.

        Raises:
            QueueFullError, LiveStateUnavailableError: the message must come to the door again.
        """
        try:
            if len(message.body) > self.most_bytes:
                raise MessageTooLargeError(f"expected at most {self.most_bytes:,} bytes, found {len(message.body):,}")
            taken = await self.intake.take(self._delivery(message))
        except tuple(UNREADABLE) as error:
            self.intake.note_refusal(UNREADABLE[type(error)], str(error))
            return Fate.REFUSED
        return Fate.REFUSED if len(taken.judged.refused) == len(taken.judged.sent.records) else Fate.TAKEN

    def _delivery(self, message: Message) -> Delivery:
        """Let records without an id have ids of the message's identity, unless its publisher gave it a key itself."""
        headers = {IDEMPOTENCY_KEY: _key(message.identity), **message.headers}
        return Delivery(message.body, self.form_of(headers), headers, self.sender, message.sent_at)


def by_headers(headers: Mapping[bytes, bytes]) -> Form:
    """Tell the form as HTTP does; what has no Content-Type is JSON.

    Raises:
        UnknownFormError: nothing here is of that type.
    """
    if CONTENT_TYPE in headers or not IN_HEADERS.isdisjoint(headers):
        return form_of(headers)
    return Form.EVENTS


def _key(identity: str) -> bytes:
    """Make an identity short and plain enough for a key."""
    if len(identity) <= LONGEST_KEY and identity.isascii() and identity.isprintable():
        return identity.encode()
    return sha256(identity.encode()).hexdigest().encode()
