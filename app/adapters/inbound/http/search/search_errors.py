"""Why a search is not answered; the contract of /search knows no 503."""


class QueryTooLongError(ValueError):
    """A query string beyond reason."""


class CatalogNotLoadedError(Exception):
    """This process has no index yet: it has just started, or the catalog's store has not answered since."""

    def __init__(self) -> None:
        """Say it to whoever asked."""
        super().__init__("the catalog is not loaded yet: its store has not answered since this process began")


class PastUnavailableError(Exception):
    """A search of the past, while the history is away."""


class TooManyPastSearchesError(Exception):
    """More searches of the past than this process answers at a time."""

    def __init__(self) -> None:
        """Say what else there is."""
        super().__init__(
            "too many searches of the past are being answered or slowly read; come again later, or ask without as_of"
        )
