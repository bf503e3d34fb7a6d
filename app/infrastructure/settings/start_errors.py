"""What ends a command in plain lines, because its user can mend it. Loads nothing: every command begins with this."""

EX_CONFIG = 78
"""The exit code that says: the configuration is wrong, starting again is of no use (sysexits.h)."""
EX_TEMPFAIL = 75
"""The exit code that says: it may go well later (sysexits.h); 78 would say that nobody needs to try again."""


class StartError(Exception):
    """Told line by line, without a traceback; the process then ends with `exit_code`."""

    exit_code: int = 1

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
