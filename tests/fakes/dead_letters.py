"""DeadLetters in memory."""

from collections.abc import Collection, Sequence

from app.application.ports.activities import DeadLetter, DeadLetters
from tests.fakes.activity_stream import MemoryActivityStream


class MemoryDeadLetters(DeadLetters):
    """What MemoryActivityInbox buried."""

    def __init__(self, stream: MemoryActivityStream) -> None:
        self._stream = stream

    async def list(self, limit: int) -> Sequence[DeadLetter]:
        """List the oldest."""
        self._stream.store.check()
        return [*self._stream.letters.values()][: max(0, limit)]

    async def retry(self, letter_ids: Collection[str]) -> int:
        """Append those that can be read again, past the deduplication, which knows them."""
        self._stream.store.check()
        letters = [self._stream.letters.get(letter_id) for letter_id in dict.fromkeys(letter_ids)]
        readable = [letter for letter in letters if letter and letter.source is None]
        for letter in readable:
            del self._stream.letters[letter.letter_id]
            self._stream.add(letter.activities)
            self._stream.counts.retried += len(letter.activities)
        return len(readable)

    async def drop(self, letter_ids: Collection[str]) -> int:
        """Forget them."""
        self._stream.store.check()
        return sum(self._stream.letters.pop(letter_id, None) is not None for letter_id in letter_ids)
