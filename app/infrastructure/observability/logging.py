"""Structured logs on standard error: readable on a terminal, JSON otherwise."""

import logging
import sys
from traceback import format_exception

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.adapters.formats.terminal_text import visible
from app.infrastructure.settings.settings import Logging

CHATTY = ("alembic", "httpx", "httpcore", "uvicorn.access", "asyncio")
"""Loggers whose lines would repeat ours, or name URLs with their secrets."""


def configure_logging(settings: Logging, role: str) -> None:
    """Send everything, the libraries' lines too, through structlog; each line says which role wrote it."""
    for_people = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    time = structlog.processors.TimeStamper(fmt="%H:%M:%S" if for_people else "iso", utc=not for_people)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        time,
        lambda _logger, _name, line: {**line, "role": role},
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(for_people=for_people)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _last(*, for_people: bool) -> list[Processor]:
    """Tracebacks come without the values of variables, which may be secrets."""
    if not for_people:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    return [structlog.processors.format_exc_info, show_control_characters, console]


def traceback_lines(error: Exception) -> list[str]:
    """Give the lines of a traceback, without the values of variables; what others have said in it is one line each."""
    return "".join(format_exception(error)).rstrip("\n").split("\n")


def show_control_characters(_logger: WrappedLogger, _name: str, line: EventDict) -> EventDict:
    """Let nothing that a client or a provider sent steer the terminal of whoever reads the log."""
    return {key: _shown(said, key) if isinstance(said, str) else said for key, said in line.items()}


def _shown(said: str, key: str) -> str:
    """A traceback has lines of its own; they stand a little in, so that none passes for a line of the log."""
    lines = said.split("\n") if key == "exception" else [said]
    return "\n  ".join(visible(line) for line in lines)
