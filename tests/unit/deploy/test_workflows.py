"""The jobs of CI, read: pinned, with the least permissions, bounded, and calling make alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, Any] = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES}
JOBS = [pytest.param(job, id=f"{name}-{key}") for name, flow in WORKFLOWS.items() for key, job in flow["jobs"].items()]
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
CALL = re.compile(r"(?:make|\.ci/run) (?P<goals>[a-z0-9 -]+)")
GOALS = set(re.findall(r"^([a-z][a-z0-9-]*):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
TIERS = ("lint-and-types", "unit", "tests", "coverage")


def goals_of(job: dict[str, Any]) -> list[str]:
    """Read what a job asks of make; a tier of the matrix stands for each of them."""
    calls = [CALL.fullmatch(step["run"].replace('"test-$TIER"', tiers(job))) for step in job["steps"] if "run" in step]
    assert all(calls), job["steps"]
    return [goal for call in calls if call for goal in call["goals"].split()]


def tiers(job: dict[str, Any]) -> str:
    return " ".join(f"test-{tier}" for tier in job.get("strategy", {}).get("matrix", {}).get("tier", ()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_a_commit_and_says_its_version(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))

    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_allows_nothing_by_itself_and_ends_older_runs(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert WORKFLOWS[name]["concurrency"]["cancel-in-progress"] is (name != "release")


@pytest.mark.parametrize("job", JOBS)
def test_a_job_reads_the_code_without_keeping_a_password_and_ends(job: dict[str, Any]) -> None:
    checkout = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))

    assert job["permissions"].pop("security-events", "write") == "write"
    assert job["permissions"] == {"contents": "read"}
    assert checkout["with"] == {"persist-credentials": False}
    assert 0 < job["timeout-minutes"] <= 240


@pytest.mark.parametrize("job", JOBS)
def test_a_job_calls_goals_of_make_that_exist(job: dict[str, Any]) -> None:
    assert [goal for goal in goals_of(job) if goal not in GOALS] == []


def test_the_jobs_before_a_merge_run_every_check_and_every_tier() -> None:
    asked = {goal for name in TIERS for goal in goals_of(WORKFLOWS["ci"]["jobs"][name])}

    folders = {f"test-{tier}" for tier in ("unit", "contract", "integration", "e2e", "faults")}
    assert asked == {"lint", "types", "contracts", "coverage-all"} | folders
    assert set(WORKFLOWS["ci"]["jobs"]) == set(TIERS)


def test_the_night_asks_at_random_and_on_a_busy_machine() -> None:
    asked = {goal for job in WORKFLOWS["nightly"]["jobs"].values() for goal in goals_of(job)}

    assert asked == {"test-openapi", "test-unit", "test-contract", "test-busy"}


def test_a_bot_watches_whatever_is_pinned() -> None:
    watched = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]

    found = {(one["package-ecosystem"], one["directory"]) for one in watched}
    assert found == {
        ("pip", "/"),
        ("pip", "/tests/data/clients"),
        ("npm", "/tests/data/clients"),
        ("github-actions", "/"),
        ("docker", "/"),
        ("docker-compose", "/"),
    }
