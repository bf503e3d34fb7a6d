"""Names of types of activities, as settings list them."""

from typing import Annotated

from pydantic import AfterValidator

from app.domain.activities import ACTIVITY_TYPE, RESERVED_TYPES


def _activity_type(name: str) -> str:
    if not ACTIVITY_TYPE.fullmatch(name) or name in RESERVED_TYPES:
        raise ValueError(
            f"{name!r} can be no type of an activity: expected a-z, then a-z 0-9 _ . -, not a reserved word"
        )
    return name


ActivityType = Annotated[str, AfterValidator(_activity_type)]
