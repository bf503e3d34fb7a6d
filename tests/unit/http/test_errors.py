"""What the log is told of errors that become answers."""

from structlog.testing import capture_logs

from app.adapters.inbound.http.error_table import ERRORS
from app.application.ports.system import HistoryUnavailableError


def test_why_a_store_is_away_is_logged_once_for_all_requests_of_a_moment() -> None:
    with capture_logs() as lines:
        answers = [ERRORS.reply(HistoryUnavailableError("no room left")) for _ in range(100)]
        ERRORS.reply(HistoryUnavailableError("it is locked"))

    assert [line["reason"] for line in lines] == ["no room left", "it is locked"]
    assert {answer.code for answer in answers} == {"history_unavailable"}
    assert not any("room" in message for message in [answer.body.decode() for answer in answers])
