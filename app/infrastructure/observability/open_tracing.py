"""Traces, on or off as the settings say; what they need is imported only when they are on."""

from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.settings.publishing_settings import Telemetry
from app.infrastructure.settings.start_errors import ConfigurationError

INSTALL = ".venv/bin/pip install -e '.[telemetry]'"
"""From the project's own folder: an index of packages may have another one of our name."""


def open_tracing(settings: Telemetry, role: str) -> Tracing:
    """Make the traces of a process of this role, as the settings say.

    Raises:
        ConfigurationError: they are on and their packages are not installed.
    """
    if settings.otlp_endpoint is None:
        return Tracing()
    check_tracing(settings)
    from app.infrastructure.observability.otlp_traces import open_traces  # noqa: PLC0415 - an extra: not there, not paid for when off

    return open_traces(settings.otlp_endpoint, settings.sample, settings.service_name, role)


def check_tracing(settings: Telemetry) -> None:
    """See that what traces need is installed, if they are on.

    Raises:
        ConfigurationError: it is not.
    """
    if settings.otlp_endpoint is None:
        return
    try:
        import app.infrastructure.observability.otlp_traces  # noqa: F401, PLC0415 - as above
    except ModuleNotFoundError as error:
        missing = f"telemetry.otlp_endpoint: traces need {error.name}, which is not installed"
        how = f"run `{INSTALL}` in the project's folder, or leave the key out"
        raise ConfigurationError([f"{missing}: {how}"]) from None
