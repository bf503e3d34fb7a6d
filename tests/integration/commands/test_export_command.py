"""`marquee export` and `marquee import` as their users meet them: what is taken out counts the same elsewhere."""

import gzip
import json
from collections.abc import Iterator

import pytest

from tests.support.service import Installation

LINES = [
    {"type": "view", "occurred_at": "2026-01-05T23:30:00Z", "user_id": "ana", "properties": {"a": 'b\n"c\u2028'}},
    {"type": "purchase", "occurred_at": "2026-01-06T10:00:00Z", "user_id": "=1+1", "source": "-web", "value": 12.5},
    {"type": "purchase", "occurred_at": "2025-12-31T10:00:00.000001Z", "user_id": "ana", "value": -0.10},
    {"type": "page_view", "occurred_at": "2026-01-07T10:00:00Z", "anonymous_id": "visitor 1"},
    {"type": "identify", "occurred_at": "2026-01-08T10:00:00Z", "anonymous_id": "visitor 1", "user_id": "ana"},
    {"id": "order 7", "type": "alias", "occurred_at": "2026-01-08T11:00:00Z", "previous_id": "eva", "user_id": "ana"},
]  # fmt: skip


@pytest.fixture(scope="module")
def marquee() -> Iterator[Installation]:
    with Installation() as installation:
        file = installation.directory / "in.ndjson"
        file.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
        assert installation.json_of("import", str(file))["stored"] == len(LINES)
        yield installation


def figures(installation: Installation) -> list[object]:
    days = ("--from", "2025-12-30", "--to", "2026-01-09")
    return [installation.json_of("stats", *asked) for asked in (("totals",), ("dau", *days), ("top", *days))]


@pytest.mark.parametrize("name", ["out.ndjson", "out.csv.gz"])
def test_what_is_exported_counts_the_same_elsewhere(marquee: Installation, name: str) -> None:
    file = marquee.directory / name
    done = marquee.command("export", "activities", "--output", str(file))

    with Installation() as other:
        summary = other.json_of("import", str(file))
        again = other.command("export", "activities").stdout

        assert (summary["stored"], summary["rejected"]) == (len(LINES), 0)
        assert figures(other) == figures(marquee)
        assert other.command("stats", "verify").returncode == 0
    assert sorted(again.split("\n")) == sorted(marquee.command("export", "activities").stdout.split("\n"))
    assert done.stderr.startswith(f"marquee: {len(LINES)} activities in ")


def test_days_are_chosen_and_formulas_escaped(marquee: Installation) -> None:
    asked = ("export", "activities", "--from", "2026-01-06", "--to", "2026-01-06", "--format", "csv")

    done = marquee.command(*asked, "--escape-formulas", "--gzip", "--output", str(marquee.directory / "day.csv"))

    header, row = gzip.decompress((marquee.directory / "day.csv").read_bytes()).decode().splitlines()
    assert header.startswith("id,type,occurred_at")
    assert row.endswith(""","'-web","'=1+1",,12.5,,""")
    assert done.returncode == 0


def test_mistakes_are_told_in_a_line(marquee: Installation) -> None:
    whole = marquee.directory / "whole.ndjson"
    whole.write_text("")
    for words, said in (
        (("--from", "2026-01-07", "--to", "2026-01-06"), "is after to"),
        (("--from", "yesterday"), "neither a date"),
        (("--output", str(whole)), "there already"),
    ):
        done = marquee.command("export", "activities", *words)

        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr


def test_plans_and_figures_are_taken_out_as_activities_are(marquee: Installation) -> None:
    days = ("--from", "2025-12-30", "--to", "2026-01-09")

    figures = [json.loads(line) for line in marquee.command("export", "stats", *days).stdout.splitlines()]
    plans = marquee.command("export", "plans", "--format", "csv")

    [purchases] = [one for one in figures if one["date"] == "2026-01-06" and one.get("type") == "purchase"]
    assert (purchases["count"], purchases["sum"]) == (1, 12.5)
    assert [one["users"] for one in figures if "users" in one] == [
        day["users"] for day in marquee.json_of("stats", "dau", *days) if day["users"]
    ]
    assert plans.stdout.startswith("id,provider,base_id,item_id,title,")
    assert [row["step"] for row in marquee.json_of("stats", "funnel", "view,purchase", *days)] == [1, 2]
