"""Checks side by side: each has its time, none keeps the others."""

import asyncio
from collections.abc import Sequence

from app.application.check_installation import Check, CheckInstallation, Finding, Verdict


def fine(subject: str) -> Check:
    async def look() -> Sequence[Finding]:
        return [Finding(subject, Verdict.OK, "is there")]

    return Check(subject, look)


async def silent() -> Sequence[Finding]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_findings_come_in_the_order_of_the_checks() -> None:
    found = await CheckInstallation(checks=[fine("b"), fine("a")])()

    assert [(one.subject, one.verdict, one.found) for one in found] == [
        ("b", "ok", "is there"),
        ("a", "ok", "is there"),
    ]


async def test_what_does_not_answer_in_time_is_a_problem_and_the_others_are_told() -> None:
    found = await CheckInstallation(checks=[Check("redis", silent), fine("a")], timeout=0.01)()

    assert found[0] == Finding(
        "redis", Verdict.PROBLEM, "no answer within 0.01 s", "see whether it runs, and what lies between"
    )
    assert found[1].verdict is Verdict.OK


async def test_what_is_not_looked_at_when_the_time_is_up_is_said() -> None:
    checks = [Check("slow", silent), fine("waits")]

    slow, waits = await CheckInstallation(checks=checks, timeout=9, total_timeout=0.01, at_a_time=1)()

    assert (slow.verdict, waits.verdict) == (Verdict.WARNING, Verdict.WARNING)
    assert waits.found == "not looked at: 0.01 s were not enough for everything"


async def test_a_check_that_fails_itself_is_a_problem_without_its_words() -> None:
    async def broken() -> Sequence[Finding]:
        raise ValueError("a password")

    async def impatient() -> Sequence[Finding]:
        raise TimeoutError("of its own")

    found = await CheckInstallation(checks=[Check("x", broken), Check("y", impatient), fine("a")])()

    assert [one.found for one in found] == [
        "the check itself failed: ValueError",
        "timed out (of its own)",
        "is there",
    ]
