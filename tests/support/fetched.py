"""A fetch whose outcome a test knows."""

from app.application.ports.providers import FeedMark, FeedSnapshot, FeedUnchanged, FeedWatcher, Provider


async def fetched(
    provider: Provider, since: FeedMark | None = None, watcher: FeedWatcher | None = None
) -> FeedSnapshot:
    """Fetch what is new."""
    snapshot = await provider.fetch(since, watcher)
    assert snapshot is not None
    assert not isinstance(snapshot, FeedUnchanged)
    return snapshot


async def newest_mark(provider: Provider, since: FeedMark) -> FeedMark:
    """Fetch what is the same, and give the mark that counts from now on."""
    found = await provider.fetch(since)
    assert found is None or isinstance(found, FeedUnchanged)
    return found.mark if found else since
