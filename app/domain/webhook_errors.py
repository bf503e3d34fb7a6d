"""What may be wrong with a webhook that somebody wants to make, find or change."""

from app.domain.errors import DomainError


class InvalidWebhookError(DomainError):
    """A part of a webhook cannot be used; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        """Keep the field for the answer."""
        super().__init__(f"{field}: {message}")
        self.field = field


class UnknownWebhookError(DomainError):
    """There is no such webhook."""

    def __init__(self, name: str) -> None:
        """Name it."""
        super().__init__(f"no webhook is called {name!r}; `marquee webhooks list` shows all")


class WebhookNameTakenError(DomainError):
    """Another webhook has this name."""

    def __init__(self, name: str) -> None:
        """Repeat the name."""
        super().__init__(f"name: a webhook is called {name!r} already")
