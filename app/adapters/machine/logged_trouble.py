"""Trouble as two lines of the log: a warning when it begins, a word when it is over."""

from typing import Any

import structlog

from app.application.trouble import Tell, Trouble

log = structlog.get_logger()


def log_teller(begins: str, ends: str, **said: Any) -> Tell:
    """Make what says `begins` with the reason, and `ends` without; both with what else is `said`."""

    def tell(reason: str | None) -> None:
        if reason is None:
            log.info(ends, **said)
        else:
            log.warning(begins, reason=reason, **said)

    return tell


def logged_trouble(begins: str, ends: str, **said: Any) -> Trouble:
    """Make a memory that tells the log."""
    return Trouble(log_teller(begins, ends, **said))
