"""`GET /search` as the protocol answers it: the usual one, in front of ASGI (ADR 0084).

What is large, of the past, refused or not yet possible is left to `search_app.py`, which says the same in more words:
`tests/unit/http/test_three_ways.py` asks both, and the FastAPI route.
"""

from collections.abc import Callable, Collection
from datetime import tzinfo
from time import perf_counter

from app.adapters.inbound.http.connection.quick_answers import Answer, Elsewhere, QuickAnswers
from app.adapters.inbound.http.connection.request_ids import RequestIds
from app.adapters.inbound.http.connection.usual_heads import UsualHead
from app.adapters.inbound.http.describing.accept_encoding import accepted_codings
from app.adapters.inbound.http.search.plan_json import SEARCH_HEAD, SEARCH_TAIL
from app.adapters.inbound.http.search.search_app import PIECE, SearchSource
from app.adapters.inbound.http.search.search_window import asks_of_the_past, open_window, usual_window
from app.domain.access import Area

VARY = b"vary: accept-encoding\r\n"
TYPE_AND_LENGTH = b"content-type: application/json\r\ncontent-length: %d\r\n"
REQUEST_ID = b"x-request-id: %b\r\n\r\n"
KNOWN = b"etag: %b\r\n" + VARY + REQUEST_ID
PLAIN = TYPE_AND_LENGTH + KNOWN
CODED = TYPE_AND_LENGTH + b"etag: %b\r\n" + VARY + b"content-encoding: %b\r\n" + REQUEST_ID


class QuickSearch(QuickAnswers):
    """Answers searches where nobody needs to be asked whether they are allowed.

    `observe` is told the status and the seconds of each answer. `is_traced` chooses by the field `traceparent`; None:
    nothing is traced.
    """

    path = b"/search"

    def __init__(
        self,
        source: SearchSource,
        timezone: tzinfo,
        observe: Callable[[int, float], None],
        *,
        lenient_areas: Collection[Area] = frozenset(),
        is_traced: Callable[[bytes | None], bool] | None = None,
    ) -> None:
        self._source = source
        self._timezone = timezone
        self._observe = observe
        self._is_lenient = Area.SEARCH in lenient_areas
        self._is_traced = is_traced
        self._new_id = RequestIds().new

    def answer(self, query: bytes, head: UsualHead) -> Answer | Elsewhere:
        """See QuickAnswers."""
        began = perf_counter()
        try:
            window = usual_window(query) or self._other_window(query)
            answer = self._answer(window, head) if window else None
        except Exception:  # noqa: BLE001 - the application meets the same, and says or logs it
            return Elsewhere.ORDINARY
        if answer is None:
            return Elsewhere.ORDINARY
        if self._is_traced is not None and self._is_traced(head.traceparent):
            return Elsewhere.TRACED
        self._observe(answer[0], perf_counter() - began)
        return answer

    def _other_window(self, query: bytes) -> tuple[float, float] | None:
        if asks_of_the_past(query):
            return None
        return open_window(query, self._timezone, is_lenient=self._is_lenient)

    def _answer(self, window: tuple[float, float], head: UsualHead) -> Answer | None:
        """Put an answer together, or find that it is none for here."""
        source = self._source
        if not source.ready:
            return None
        found = source.index.find(*window)
        request_id, if_none_match, _, accept_encoding = head
        own = request_id or self._new_id()
        if if_none_match is not None and (held := accepted_codings(accept_encoding).held(if_none_match, found.tag)):
            return 304, [KNOWN % (held, own)]
        if found.most > PIECE:
            return None
        etag, buffers = found.read()
        plans = b",".join(buffers)
        length = len(SEARCH_HEAD) + len(plans) + len(SEARCH_TAIL)
        coding = None if accept_encoding is None else accepted_codings(accept_encoding).coding_of(length)
        if coding is None:
            return 200, [PLAIN % (length, etag, own), SEARCH_HEAD, plans, SEARCH_TAIL]
        body = coding.pack(b"".join((SEARCH_HEAD, plans, SEARCH_TAIL)))
        return 200, [CODED % (len(body), coding.tag(etag), coding.name, own), body]
