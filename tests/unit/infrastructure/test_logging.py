"""What a terminal gets to see of a line of the log."""

from typing import Any

from app.infrastructure.observability.logging import show_control_characters


def test_what_was_sent_steers_no_terminal() -> None:
    line: dict[str, Any] = {
        "event": "a\x1b[2Jb",
        "path": "/\x9b2J\x7f\r\n",
        "name": "Zoë \u2603",
        "title": "a\u202eb",
        "status": 7,
        "why": None,
    }

    assert show_control_characters(None, "info", line) == {
        "event": r"a\x1b[2Jb",
        "path": r"/\x9b2J\x7f\x0d\x0a",
        "name": "Zoë \u2603",
        "title": r"a\u202eb",
        "status": 7,
        "why": None,
    }
