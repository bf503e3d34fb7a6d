"""What was taken out, as JSON."""

from typing import Any

from app.adapters.inbound.answering.stats_answers import imported_answer
from app.application.forget import Forgotten
from app.application.undo_import import Undone


def undone_answer(undone: Undone) -> dict[str, Any]:
    """What an undo has done."""
    return {"import": imported_answer(undone.imported), "removed": undone.removed, "ids_free": undone.are_ids_free}


def forgotten_answer(forgotten: Forgotten) -> dict[str, Any]:
    """How much was forgotten."""
    return {
        "activities": forgotten.activities,
        "waiting": forgotten.waiting,
        "dead_letters": forgotten.dead_letters,
        "refusal_samples": forgotten.samples,
        "webhook_deliveries": forgotten.deliveries,
        "anonymous_ids": forgotten.anonymous,
        "frozen_days": forgotten.had_frozen_days,
    }
