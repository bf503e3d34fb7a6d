"""Why an event, or a calendar, cannot be used."""

from app.domain.feeds import RejectionReason


class UnusableEventError(Exception):
    """One event cannot be used; becomes a BrokenEvent. `line` is where, when that is not where the event begins."""

    def __init__(self, reason: RejectionReason, message: str, line: int | None = None) -> None:
        """Keep what a BrokenEvent is made of."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.line = line


class DuplicateEventError(UnusableEventError):
    """Another event says something else under the same UID and RECURRENCE-ID; neither SEQUENCE nor DTSTAMP decide."""

    def __init__(self) -> None:
        """Say so."""
        message = (
            "another event with its UID and RECURRENCE-ID says something else, expected the newer to say so (SEQUENCE)"
        )
        super().__init__(RejectionReason.DUPLICATE, message)


class NoCalendarError(Exception):
    """The document is no iCalendar file; nothing of it was read. The message says what was found instead."""


class CutCalendarError(Exception):
    """The document ends before its calendar does, or misses an end in the middle: absence of an event proves nothing.

    `line` is where that was seen, from 1. All that could be read has been handed out before.
    """

    def __init__(self, message: str, line: int) -> None:
        """Keep the line beside the message."""
        super().__init__(message)
        self.line = line


def invalid(name: str, text: str, expected: str, reason: RejectionReason) -> UnusableEventError:
    """Say what was found of a property, cut to what fits on a line, and what was expected."""
    shown = text if len(text) <= 80 else f"{text[:80]}... ({len(text):,} characters)"  # noqa: PLR2004 - one line of a terminal
    return UnusableEventError(reason, f"{name} is {shown!r}, expected {expected}")
