"""Counting: what became of the records of a request, by type for the figures, by reason for the log."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import structlog

from app.adapters.inbound.intake.judged_records import ACCEPTED, DUPLICATE, REFUSED, JudgedRecords
from app.application.record_activities import Recording

log = structlog.get_logger()

INTERVAL = 1.0
"""Seconds between two lines of the log."""

ObserveActivities = Callable[[str, Mapping[str, int]], None]
"""Is told an outcome, and how many activities of which types had it."""


def outcomes(judged: JudgedRecords, recording: Recording) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Count the records by type: one mapping for each outcome, whatever their number."""
    types = judged.types
    if len(types) == 1 and not (recording.duplicates or recording.refused or judged.refused_types):
        yield ACCEPTED, {types[0]: 1}  # a Counter takes as long as all the rest
        return
    accepted = Counter(types)
    for outcome, positions in ((DUPLICATE, recording.duplicates), (REFUSED, recording.refused)):
        if positions:
            others = Counter(types[position] for position in positions)
            accepted -= others
            yield outcome, others
    if accepted:
        yield ACCEPTED, accepted
    if judged.refused_types:
        yield REFUSED, Counter(judged.refused_types)


class IntakeLog:
    """Logs what came in, all of a second in one line, which comes at its end; nothing while nothing comes."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._accepted = self._duplicates = 0
        self._refused: Counter[str] = Counter()
        self._refused_requests: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, judged: JudgedRecords, recording: Recording) -> None:
        """Count the records of a request."""
        self._duplicates += len(recording.duplicates)
        self._accepted += len(judged.activities) - len(recording.duplicates) - len(recording.refused)
        if judged.refused:
            self._refused.update(problems[0].code for problems in judged.refused.values())
        self._arm()

    def note_refusal(self, code: str) -> None:
        """Count a request of which nothing was judged: a client's, of a form that is none, or the queue was full."""
        self._refused_requests[code] += 1
        self._arm()

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._tell)

    def _tell(self) -> None:
        self._timer = None
        log.info(
            "activities came in",
            accepted=self._accepted,
            duplicates=self._duplicates,
            refused=dict(self._refused),
            refused_requests=dict(self._refused_requests),
        )
        self._accepted = self._duplicates = 0
        self._refused.clear()
        self._refused_requests.clear()
