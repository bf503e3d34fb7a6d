"""What two builds print is read and compared."""

import pytest

from bench import pipeline
from bench.in_turns import Figure, read, tell

PIPELINE = """20,000 activities/s for 60 s, batches of 100, database: sqlite

posted 1,200,000 in 60.0 s: 20,000/s reached
  answers in ms: median 2.0, p99 6.0, worst 31
  a batch waited at most 3 ms for a connection
  cores used: generator 0.31, supervisor 0.00, api 0.60, worker 0.82, scheduler 0.00, launcher 0.00, redis 0.20
  drained 0.1 s after the last answer; largest backlog seen 200
"""


def test_the_figures_of_the_pipeline_are_found() -> None:
    assert read(pipeline.FIGURES, PIPELINE) == [20_000, 0.6, 0.82, 0.2, 2.0, 6.0]


def test_a_figure_that_was_not_printed_is_named() -> None:
    with pytest.raises(ValueError, match="posted/s"):
        read(pipeline.FIGURES, PIPELINE.replace("posted", "sent"))


@pytest.mark.parametrize(
    ("more_is_better", "now", "word"),
    [(True, 96, "reached"), (True, 94, "MISSED"), (False, 104, "reached"), (False, 106, "MISSED")],
)
def test_a_build_is_worse_when_it_is_so_by_more_than_noise(
    capsys: pytest.CaptureFixture[str], *, more_is_better: bool, now: float, word: str
) -> None:
    tell(Figure("x", more_is_better=more_is_better), 100, now)

    assert capsys.readouterr().out.rstrip().endswith(f"not worse: {word}")
