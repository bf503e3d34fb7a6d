"""`activity.fields`: what other people's names of fields mean here."""

from app.adapters.inbound.reading.activity_names import SINGLE, field_of

MOST = 100
LONGEST = 255
"""Characters of a name."""


def field_mapping(given: dict[str, str]) -> dict[str, str]:
    """Check what each name is mapped to, and write it as the doors know it.

    Raises:
        ValueError: it is no field, or there are too many.
    """
    if len(given) > MOST:
        raise ValueError(f"expected at most {MOST} names")
    mapping = {}
    for name, wanted in given.items():
        field = field_of(wanted)
        if not 1 <= len(name) <= LONGEST or field is None or len(field) > LONGEST:
            expected = f"a field of an activity, such as user_id, or {SINGLE}NAME"
            raise ValueError(f"{name[:LONGEST]!r} is mapped to {wanted[:LONGEST]!r}; expected {expected}")
        mapping[name] = field
    return mapping
