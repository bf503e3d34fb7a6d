"""What is sent to `/webhooks`, as the documentation shows it. The domain has the rules."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from app.adapters.inbound.answering.answers import without_defaults
from app.adapters.inbound.http.connection.json_bodies import Body
from app.domain.activities import ACTIVITY_TYPE
from app.domain.domain_events import NAMES
from app.domain.webhook_headers import HEADER_NAME, HEADER_VALUE, MOST_HEADERS
from app.domain.webhooks import ENDPOINT_NAME, LONGEST_URL

SUBJECTS = sorted({name.partition(".")[0] for name in NAMES})
LARGEST_ID = 2**63 - 1


class NewWebhookBody(Body):
    """A webhook to be."""

    name: Annotated[
        str,
        Field(
            description="By which it is managed; unique, and it stays",
            examples=["shop"],
            json_schema_extra={"pattern": f"^{ENDPOINT_NAME.pattern}$"},
        ),
    ]
    url: Annotated[
        str,
        Field(
            description="Where messages are posted to; addresses that are not public are refused unless the "
            "configuration allows them",
            examples=["https://shop.example/in"],
            json_schema_extra={"format": "uri", "maxLength": LONGEST_URL, "pattern": "^https?://[a-zA-Z0-9]"},
        ),
    ]
    names: Annotated[
        list[str],
        Field(
            description="What it is told of: domain events, and activities as `activity.TYPE`, `activity.BEGINNING.*` "
            "or `activity.*`; none, or `*`: everything but activities",
            examples=[["plan.changed", "user.*", "activity.purchase"]],
            json_schema_extra={
                "items": {
                    "anyOf": [
                        {"enum": [*NAMES, *(f"{subject}.*" for subject in SUBJECTS), "*"]},
                        {"pattern": rf"^activity\.(\*|{ACTIVITY_TYPE.pattern}(\.\*)?)$", "type": "string"},
                    ]
                }
            },
        ),
    ] = Field(default_factory=list)
    headers: Annotated[
        dict[str, str],
        Field(
            description="Sent beside those of Marquee; their values are never shown again. Those of a connection, of "
            "a signature and of the content are refused",
            examples=[{"Authorization": "Bearer something"}],
            json_schema_extra={
                "maxProperties": MOST_HEADERS,
                "propertyNames": {"pattern": f"^{HEADER_NAME.pattern}$"},
                "additionalProperties": {"type": "string", "pattern": f"^{HEADER_VALUE.pattern}$"},
            },
        ),
    ] = Field(default_factory=dict)


class WebhookPatchBody(Body):
    """What is to change (RFC 7396); what is not named stays."""

    model_config = ConfigDict(json_schema_extra=without_defaults)

    is_active: Annotated[
        bool,
        Field(
            description="False: nothing is collected and nothing sent. True also ends a pause: what waits goes on at "
            "once, with a new schedule"
        ),
    ] = True
    headers: Annotated[
        dict[str, str | None],
        Field(
            description="Those that are named are put in or replaced, and with null taken away; others stay",
            examples=[{"X-Old": None}],
            json_schema_extra={
                "maxProperties": MOST_HEADERS,
                "propertyNames": {"pattern": f"^{HEADER_NAME.pattern}$"},
                "additionalProperties": {
                    "anyOf": [{"type": "string", "pattern": f"^{HEADER_VALUE.pattern}$"}, {"type": "null"}]
                },
            },
        ),
    ] = Field(default_factory=dict)


class NewSecretBody(Body):
    """How a secret is replaced."""

    at_once: Annotated[
        bool, Field(description="The secrets before end now: one has leaked. Else they sign as well for 24 hours")
    ] = False


_DIGITS = 20
"""Of a whole number that is read as one; a longer one is no id, and may take long."""


def _whole(given: Any) -> Any:
    """Read 17.0 as 17: to JSON both are one number."""
    is_small = isinstance(given, Decimal) and given.is_finite() and given.adjusted() < _DIGITS
    return int(given) if is_small and given == given.to_integral_value() else given


DeliveryId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_whole)]


class ReplayBody(Body):
    """What is to be sent again, of what has ended; one of the three."""

    delivery_id: Annotated[DeliveryId | None, Field(description="This one")] = None
    failed: Annotated[bool, Field(description="All that were given up")] = False
    since: Annotated[
        str | None,
        Field(
            description="All that were told at or after this instant. Without an offset it is UTC",
            examples=["2036-01-01T00:00:00Z"],
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
