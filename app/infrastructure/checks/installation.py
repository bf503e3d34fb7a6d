"""What `marquee check` looks at: the machine, and all that the settings name."""

from pathlib import Path

from app.application.check_installation import Check, CheckInstallation, Finding, Verdict
from app.infrastructure.checks.collector_and_issuer import check_others
from app.infrastructure.checks.databases import check_databases
from app.infrastructure.checks.machine import check_machine, check_place
from app.infrastructure.checks.providers import check_providers
from app.infrastructure.checks.subscriptions import check_subscriptions
from app.infrastructure.observability.logging import configure_logging
from app.infrastructure.settings.configuration import DEFAULT_FILE, load_settings
from app.infrastructure.settings.settings import Logging, Settings
from app.infrastructure.settings.start_errors import ConfigurationError


def prepare_check(file: Path | None) -> CheckInstallation:
    """Do the same for a command: what is looked at tells no log what it finds, for the findings do."""
    configure_logging(Logging(level="error"), "cli")
    return checked_installation(file)


def checked_installation(file: Path | None) -> CheckInstallation:
    """Say what is to be looked at; with settings that are wrong, that they are, and the machine."""
    try:
        settings: Settings | None = load_settings(file)
        mistakes: list[str] = []
    except ConfigurationError as error:
        settings, mistakes = None, error.mistakes
    checks = [_configuration(file, mistakes), *check_machine()]
    if settings:
        for more in (check_place, check_databases, check_providers, check_subscriptions, check_others):
            checks += more(settings)
    return CheckInstallation(checks=checks)


def _configuration(file: Path | None, mistakes: list[str]) -> Check:
    subject = "configuration"
    here = Path.cwd()

    async def look() -> list[Finding]:
        if mistakes:
            remedy = "correct it; nothing that it names was looked at"
            return [Finding(subject, Verdict.PROBLEM, mistake, remedy) for mistake in mistakes]
        if file:
            return [Finding(subject, Verdict.OK, str(here / file))]
        found = f"the defaults, for {here} has no {DEFAULT_FILE}"
        return [Finding(subject, Verdict.WARNING, found, "`marquee init` writes one, --config names another")]

    return Check(subject, look)
