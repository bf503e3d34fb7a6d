"""Questions to an index that tests of several subjects ask."""

from app.adapters.outbound.search_index.live_index import LiveIndex


def tag_of(index: LiveIndex) -> bytes:
    """Name everything that is found."""
    return index.index.find(float("-inf"), float("inf")).tag
