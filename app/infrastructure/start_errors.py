"""What ends a command in plain lines, because its user can mend it. Loads nothing: every command begins with this."""

from typing import ClassVar

EX_CONFIG = 78
"""The exit code that says: the configuration is wrong, starting again is of no use (sysexits.h)."""


class StartError(Exception):
    """Told line by line, without a traceback; the process then ends with `exit_code`."""

    exit_code: ClassVar[int] = 1

    @property
    def lines(self) -> list[str]:
        """What to say."""
        return str(self).splitlines()


class ConfigurationError(StartError):
    """The settings are wrong: one line for each mistake, which names the key, what was found and what was expected."""

    exit_code = EX_CONFIG

    def __init__(self, mistakes: list[str]) -> None:
        """Keep the lines."""
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes

    @property
    def lines(self) -> list[str]:
        """See StartError."""
        return self.mistakes
