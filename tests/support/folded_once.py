"""A history in memory that does not fold everything anew for each question, for worlds of very many activities."""

from app.domain.column_fold import Fold
from tests.fakes.activity_store import MemoryActivityStore


class FoldedOnce(MemoryActivityStore):
    """Remembers its figures until something else is stored."""

    _folded: tuple[int, Fold] | None = None

    def _fold(self) -> Fold:
        if self._folded is None or self._folded[0] != len(self._counted):
            self._folded = (len(self._counted), super()._fold())
        return self._folded[1]
