"""In which words doors read activities, as the settings say."""

from app.adapters.inbound.intake.wording import Wording
from app.adapters.inbound.reading.activity_names import FieldNames
from app.infrastructure.settings.settings import Settings


def wording(settings: Settings) -> Wording:
    """Put together what the settings say of names."""
    activity = settings.activity
    names = FieldNames(activity.fields, activity.unknown_fields == "refuse", activity.no_users)
    return Wording(names, activity.cloud_events_user)
