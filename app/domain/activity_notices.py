"""What webhooks are told of activities: by which names they ask for them, and what such a message is about."""

from collections.abc import Iterable

from app.domain.activities import ACTIVITY_TYPE, STATEMENTS, Activity, ActivityId

PREFIX = "activity."
"""Of all names of activities: `activity.purchase`."""


def activity_name(type_: str) -> str:
    """Say by which name an activity of a type is told."""
    return PREFIX + type_


def notice_id(activity_id: ActivityId) -> str:
    """Say by which id an activity is told: the same at every attempt, and no other one's."""
    return f"activity-{activity_id}"


def subject_of(activity: Activity) -> str:
    """Say whom it is about. What is about one visitor is told in the order in which it was stored.

    User ids and anonymous ids are two spaces of names.
    """
    if activity.user_id is not None:
        return f"visitors/{activity.user_id}"
    if activity.anonymous_id is not None:
        return f"anonymous-visitors/{activity.anonymous_id}"
    return f"activities/{activity.activity_id}"


def is_name(name: str) -> bool:
    """Tell whether a webhook may ask for it: `activity.TYPE`, `activity.*`, or `activity.BEGINNING.*`."""
    if not name.startswith(PREFIX):
        return False
    type_ = name.removeprefix(PREFIX)
    return type_ == "*" or ACTIVITY_TYPE.fullmatch(type_.removesuffix(".*")) is not None


def asks_for(names: Iterable[str], type_: str) -> bool:
    """Tell whether names ask for activities of a type; statements of who somebody is are none that anybody did."""
    return type_ not in STATEMENTS and any(covers(wanted, activity_name(type_)) for wanted in names)


def covers(wanted: str, name: str) -> bool:
    """Tell whether a name is the one that is wanted, or begins like it: `user.*`."""
    return wanted == name or (wanted.endswith(".*") and name.startswith(wanted[:-1]))
