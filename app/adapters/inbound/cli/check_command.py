"""`marquee check`: whether everything that the configuration names can be reached, and what to do about it."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import typer

from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json
from app.adapters.inbound.cli.saying import say_styled
from app.application.check_installation import CheckInstallation, Finding, Verdict

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red"}
WIDTH = max(map(len, Verdict))


def add_check_command(cli: typer.Typer, prepare: Callable[[], CheckInstallation]) -> None:
    """Add the command `check` to `cli`; `prepare` reads the settings and says what is to be looked at."""

    @cli.command()
    def check(as_json: Json = False) -> None:
        """Say whether all that the configuration names can be reached. Exit code 1: something cannot."""
        findings = asyncio.run(prepare()())
        is_good = all(finding.verdict is not Verdict.PROBLEM for finding in findings)
        document = {"ok": is_good, "findings": [asdict(finding) for finding in findings]}
        show(as_json, document, *(partial(_print, finding) for finding in findings))
        raise typer.Exit(0 if is_good else 1)


def _print(finding: Finding) -> None:
    remedy = f": {finding.remedy}" if finding.remedy else ""
    verdict = (f"{finding.verdict:<{WIDTH}}", STYLES[finding.verdict])
    say_styled(verdict, f"  {finding.subject}: {finding.found}{remedy}")
