"""Why nothing of a body is taken."""

from app.domain.activities import LARGEST_ACTIVITY


class InvalidIdempotencyKeyError(ValueError):
    """The key of a request is none."""

    def __init__(self) -> None:
        """Say what one is."""
        super().__init__("Idempotency-Key: expected text of 1 to 255 characters, none of them a control character")


class NotAnActivityError(ValueError):
    """A body is JSON, but neither an object nor an array."""


class NotABatchError(ValueError):
    """A body is JSON, but no batch."""

    def __init__(self, message: str = 'expected an object such as {"events": [...]}') -> None:
        """Say what a batch is, unless there is more to say."""
        super().__init__(message)


class NoActivitiesError(ValueError):
    """An array, or a batch, is empty."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("expected at least one activity, found none")


class TooManyActivitiesError(ValueError):
    """An array, or a batch, has more activities than are taken at once."""

    def __init__(self, most: int) -> None:
        """Keep the limit for programs."""
        super().__init__(f"expected at most {most:,} activities in one request, found more")
        self.extra = {"limit": most}


class TooLargeToSplitError(ValueError):
    """Something in a body is too large for a record, and the body is such that the next record cannot be found."""

    def __init__(self) -> None:
        """Keep the limit for programs."""
        super().__init__(f"expected activities of at most {LARGEST_ACTIVITY:,} bytes, found more")
        self.extra = {"limit": LARGEST_ACTIVITY}


class TooMuchSharedError(ValueError):
    """A batch says too much of all its activities: each would have to be given it."""

    def __init__(self, most: int) -> None:
        """Keep the limit for programs."""
        super().__init__(f"expected at most {most:,} bytes beside the activities of a batch, found more")
        self.extra = {"limit": most}


class TooDeepToSplitError(ValueError):
    """A body has too many records that are nested absurdly."""

    def __init__(self, most: int) -> None:
        """Say how many it may have."""
        super().__init__(f"more than {most} activities are nested hundreds of levels deep")


class UnknownFormError(ValueError):
    """A delivery is of a media type that is not taken, or of none."""

    def __init__(self, given: bytes | None) -> None:
        """Say what is taken, but not all of something long."""
        found = "none" if given is None else repr(given[:80].decode("latin-1"))
        super().__init__(
            f"expected Content-Type: application/json, or another form of activities, in UTF-8, found {found}"
        )
