"""The part of a document that is in memory."""

from app.adapters.outbound.providers.reading.utf_8 import Utf8Text

PIECE = 256 * 1024


class Window:
    """Bytes of a text from `at` on; what lies before is given up, and its lines are counted."""

    def __init__(self, text: Utf8Text) -> None:
        self._text = text
        self.data = b""
        self.at = 0
        self.line = text.line
        """Where `at` is."""
        self.passed = 0
        """Bytes before `at`."""

    def more(self) -> bool:
        """Read on; tell whether there was anything. `at` is 0 then, and other places lie by as much before."""
        piece = self._text.read(PIECE)
        self.data, self.at = self.data[self.at :] + piece, 0
        return bool(piece)

    def move(self, to: int) -> int:
        """Give up what lies before a place in `data`; tell how many lines that were."""
        lines = self.data.count(b"\n", self.at, to)
        self.line += lines
        self.passed += to - self.at
        self.at = to
        return lines
