"""Why the change feed refuses."""

LONGEST_QUOTE = 40
"""Characters of a cursor that are repeated."""


class InvalidCursorError(ValueError):
    """A cursor that was never given out by this service."""

    def __init__(self, text: str) -> None:
        """Quote it, but not all of something long."""
        found = repr(text) if len(text) <= LONGEST_QUOTE else f"one of {len(text)} characters"
        super().__init__(f"expected a cursor as this service gave it out, found {found}")


class TooManyStreamsError(Exception):
    """As many clients stream changes from this process as it serves."""

    def __init__(self, most: int) -> None:
        """Say what else there is."""
        super().__init__(f"{most} clients stream changes already; come again later, or ask for pages of JSON")
