"""The commented configuration that comes with the package: the repository's own, to which `config.yaml` here links.

In a wheel it is a file of its own. What it names is there wherever the package is installed.
"""

from importlib.resources import files

from app.infrastructure.settings.configuration import DEFAULT_FILE


def reference_configuration() -> str:
    """Give its text, with every key and its default."""
    return (files("app.infrastructure.settings") / DEFAULT_FILE).read_text(encoding="utf-8")
