"""What is sent to `/users` and what is answered, as the documentation shows it. The domain has the rules."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.adapters.inbound.answering.answers import without_defaults
from app.adapters.inbound.http.connection.json_bodies import Body
from app.domain.access import Role
from app.domain.activities import ACTIVITY_TYPE
from app.domain.api_keys import KEY_ID_LENGTH, LONGEST_KEY_NAME
from app.domain.publishable_keys import LONGEST_ORIGIN, MOST_ORIGINS, MOST_TYPES, Publishable, read_publishable
from app.domain.users import LONGEST_EMAIL, LONGEST_NAME, USERNAME

KEY_ID = rf"^[0-9A-Za-z]{{{KEY_ID_LENGTH}}}$"
ORIGIN_SHOWN = r"^(\*|https?://[a-z0-9.-]+(:[1-9][0-9]{0,4})?)$"
SHOWN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""Without control characters, as the domain has it (halves of characters are no JSON to most)."""
PRINTABLE = r"^([^\p{C}\p{Z}]| )*$"
"""What `str.isprintable` takes, in the words of ECMA-262."""

Username = Annotated[
    str,
    Field(
        description="Unique among active users; case does not count",
        examples=["ana"],
        json_schema_extra={"pattern": f"^{USERNAME.pattern}$"},
    ),
]
Email = Annotated[
    str,
    Field(
        description="Unique among active users; case does not count",
        examples=["ana@example.com"],
        json_schema_extra={"format": "email", "maxLength": LONGEST_EMAIL},
    ),
]
FullName = Annotated[
    str | None,
    Field(examples=["Ana Gómez"], json_schema_extra={"maxLength": LONGEST_NAME, "pattern": SHOWN}),
]
GivenRole = Annotated[Role, Field(strict=False, description="Each may do what those before it may")]
IsActive = Annotated[bool, Field(description="Keys of an inactive user do not work")]


class NewUserBody(Body):
    """A user to be."""

    username: Username
    email: Email
    full_name: FullName = None
    role: GivenRole = Role.READER
    is_active: IsActive = True


class UserPatchBody(NewUserBody):
    """What is to change (RFC 7396); what is not named stays."""

    model_config = ConfigDict(json_schema_extra=without_defaults)

    username: Username = ""
    email: Email = ""


class NewKeyBody(Body):
    """A key to be."""

    name: Annotated[
        str,
        Field(
            description="To tell keys apart; characters that can be shown",
            examples=["backoffice"],
            json_schema_extra={"maxLength": LONGEST_KEY_NAME, "pattern": PRINTABLE},
        ),
    ] = ""
    expires_at: Annotated[
        str | None,
        Field(
            description="From then on it opens nothing; null: never. Without an offset it is UTC",
            examples=["2036-01-01T00:00:00Z"],
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
    publishable: Annotated[
        bool,
        Field(description="Whether pages may show it to the world: it posts activities of `origins`, and nothing else"),
    ] = False
    origins: Annotated[
        list[str],
        Field(
            description="Of the pages that may post with a publishable key; `*` alone is any",
            examples=[["https://shop.example"]],
            json_schema_extra={
                "maxItems": MOST_ORIGINS,
                "items": {"type": "string", "maxLength": LONGEST_ORIGIN, "pattern": ORIGIN_SHOWN},
            },
        ),
    ] = Field(default_factory=list)
    types: Annotated[
        list[str],
        Field(
            description="The only types that a publishable key may post; none: any",
            examples=[["page_view"]],
            json_schema_extra={
                "maxItems": MOST_TYPES,
                "items": {"type": "string", "pattern": f"^{ACTIVITY_TYPE.pattern}$"},
            },
        ),
    ] = Field(default_factory=list)

    def may(self) -> Publishable | None:
        """Say what a publishable key may do; None for a secret one.

        Raises:
            InvalidKeyError: what is said makes no sense.
        """
        return read_publishable(publishable=self.publishable, origins=self.origins, types=self.types)


class UserAnswer(BaseModel):
    """A user."""

    id: UUID
    username: str
    email: str
    full_name: str | None
    role: Role
    is_active: bool
    created_at: datetime
    updated_at: datetime
