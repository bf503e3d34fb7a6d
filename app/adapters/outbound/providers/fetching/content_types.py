"""The Content-Type header (RFC 9110, 8.3) of an answer."""

import codecs
from email.message import Message

_LONGEST = 1_000
_CHARSETS = (
    *("ascii", "utf-8", "utf-16", "utf-32", "iso8859", "cp", "koi8", "mac", "tis-620"),
    *("gb", "big5", "shift_jis", "euc_"),
)
"""How Python's names of character sets of documents begin; others, such as `unicode_escape`, are none of documents."""


def media_type(header: str | None) -> tuple[str | None, str | None]:
    """Read the media type, in lower case, and the character set, by Python's name; None for what is not said or known.

    Of several character sets the first counts.
    """
    if not header or len(header) > _LONGEST:
        return None, None
    message = Message()
    message["Content-Type"] = " ".join(header.split())
    kind = header.partition(";")[0].strip().lower()
    return kind if "/" in kind else None, _known(message.get_content_charset())


def _known(charset: str | None) -> str | None:
    try:
        name = codecs.lookup(charset or "").name
    except (LookupError, ValueError):
        return None
    return name if name.startswith(_CHARSETS) else None
