"""Say whether everything that an installation stands on is there: each thing by itself, side by side, within a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What was found means that it works, that it may disappoint, or that it does not work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing, in words without secrets."""

    subject: str
    """Which thing: a section of the settings, or the provider."""
    verdict: Verdict
    found: str
    remedy: str = ""
    """What to do about it; empty where nothing is to be done."""


class Check(NamedTuple):
    """A look at one thing. `look` changes nothing, and need not watch the clock."""

    subject: str
    look: Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInstallation:
    """Make all checks, some of them at a time, and give their findings in the checks' order."""

    checks: Sequence[Check]
    timeout: float = 5.0
    """Seconds for one check."""
    total_timeout: float = 30.0
    """Seconds for all of them; what was not looked at by then is said."""
    at_a_time: int = 32

    async def __call__(self) -> list[Finding]:
        """Look at everything; what goes wrong with a check is a finding, too."""
        room = asyncio.Semaphore(self.at_a_time)
        until = asyncio.get_running_loop().time() + self.total_timeout
        found = await asyncio.gather(*(self._in_time(check, room, until) for check in self.checks))
        return [finding for findings in found for finding in findings]

    async def _in_time(self, check: Check, room: asyncio.Semaphore, until: float) -> Sequence[Finding]:
        try:
            async with asyncio.timeout_at(until), room:
                return await self._look(check)
        except TimeoutError:
            words = f"not looked at: {self.total_timeout:g} s were not enough for everything"
            return [Finding(check.subject, Verdict.WARNING, words, "look again with fewer of them")]

    async def _look(self, check: Check) -> Sequence[Finding]:
        try:
            async with asyncio.timeout(self.timeout) as limit:
                return await check.look()
        except TimeoutError as error:
            words = f"no answer within {self.timeout:g} s" if limit.expired() else f"timed out ({error})"
            return [Finding(check.subject, Verdict.PROBLEM, words, "see whether it runs, and what lies between")]
        except Exception as error:  # noqa: BLE001 - whatever it is, the other findings are told; its words may hold secrets
            words = f"the check itself failed: {type(error).__name__}"
            return [Finding(check.subject, Verdict.PROBLEM, words, "please report this as a bug")]
