"""Why a query or a body cannot be read, or one client has as much of this process as it may."""

from collections.abc import Collection

LONGEST_QUOTE = 40
"""Characters of a cursor that are repeated."""


class UnknownParameterError(ValueError):
    """A query string has a parameter that its route does not know."""

    def __init__(self, name: str, nearest: str | None, known: Collection[str]) -> None:
        """Say which, what was meant perhaps, and which ones there are."""
        guess = f"did you mean {nearest}? " if nearest else ""
        there_is = f"this route takes {', '.join(known)}" if known else "this route takes none"
        super().__init__(f"unknown parameter {name!r}: {guess}{there_is}")


class InvalidCursorError(ValueError):
    """A cursor that was never given out by this service, or for another list."""

    def __init__(self, text: str) -> None:
        """Quote it, but not all of something long."""
        found = repr(text) if len(text) <= LONGEST_QUOTE else f"one of {len(text)} characters"
        super().__init__(f"expected a cursor as this service gave it out, found {found}")


class UnsupportedMediaTypeError(ValueError):
    """A body is announced as something else than JSON in UTF-8, or as nothing."""


class UnsupportedEncodingError(ValueError):
    """A body is packed in a way that is not understood."""


class InvalidContentLengthError(ValueError):
    """The length of a body is not what its header says."""


class InvalidGzipError(ValueError):
    """A body that is announced as gzip is none, is damaged or ends too early."""


class BodyTooLargeError(ValueError):
    """A body is larger than this service reads."""

    def __init__(self, most: int, *, unpacked: bool = False) -> None:
        """Keep the limit for programs."""
        super().__init__(
            f"expected a body of at most {most:,} bytes{' after unpacking' if unpacked else ''}, found more"
        )
        self.extra = {"limit": most}


class TooManyBodiesError(Exception):
    """This process holds as much of bodies as it may."""

    def __init__(self, most: int, free: int) -> None:
        """Say what gets through."""
        super().__init__(
            f"requests with {most:,} bytes in their bodies are being served already: come again a little later, "
            f"or send up to {free:,} bytes at a time"
        )


class ShareTakenError(Exception):
    """One caller has as many streams of this process as one may have."""

    def __init__(self, most: int, instead: str) -> None:
        """Say what helps."""
        super().__init__(f"{most} streams of yours are open here already: end one, or {instead}")


class ClientGoneError(Exception):
    """The client left before its whole body had come; there is nobody to answer."""
