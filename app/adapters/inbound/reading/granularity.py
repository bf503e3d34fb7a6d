"""Read the length of a period, which has two names in other people's clients."""

from app.domain.stats import Granularity


class GranularityTwiceError(ValueError):
    """The length of a period was given by both its names, and they differ."""


def read_granularity(granularity: Granularity | None, window_type: Granularity | None) -> Granularity:
    """Take whichever is given; without any it is a day.

    Raises:
        GranularityTwiceError: both are, and differ.
    """
    if granularity and window_type and granularity is not window_type:
        raise GranularityTwiceError(
            f"granularity is {granularity} and window_type is {window_type}: they are two names of one thing, give one"
        )
    return granularity or window_type or Granularity.DAY
