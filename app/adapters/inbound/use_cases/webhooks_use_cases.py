"""What webhooks need, over HTTP and in the terminal alike."""

from dataclasses import dataclass

from app.application import manage_webhooks as use_cases
from app.application.ports.system import Clock
from app.application.ports.webhooks import WebhookEndpoints, WebhookLog


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksUseCases:
    """The use cases; the ports themselves where a question decides nothing."""

    endpoints: WebhookEndpoints
    log: WebhookLog
    clock: Clock
    add: use_cases.AddWebhook
    find: use_cases.FindWebhook
    switch: use_cases.SwitchWebhook
    change_headers: use_cases.ChangeWebhookHeaders
    remove: use_cases.RemoveWebhook
    rotate: use_cases.RotateWebhookSecret
    try_out: use_cases.TryWebhook
    replay: use_cases.ReplayWebhook
