"""What was taken out, as JSON."""

from typing import Any

from app.adapters.inbound.answering.stats_answers import imported_answer
from app.application.undo_import import Undone


def undone_answer(undone: Undone) -> dict[str, Any]:
    """What an undo has done."""
    return {"import": imported_answer(undone.imported), "removed": undone.removed, "ids_free": undone.are_ids_free}
