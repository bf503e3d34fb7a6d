"""Why nothing of a body is taken."""

from app.domain.activities import LARGEST_ACTIVITY


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


class TooDeepToSplitError(ValueError):
    """A body has too many records that are nested absurdly."""

    def __init__(self, most: int) -> None:
        """Say how many it may have."""
        super().__init__(f"more than {most} activities are nested hundreds of levels deep")
