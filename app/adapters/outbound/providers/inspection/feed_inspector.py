"""Fetching a feed to look at it, and making a provider of what was found."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.providers.fetching.fetch_of_url import fetch_of
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.fetching.links import target_of
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.fetching.urls import path_of, shown
from app.adapters.outbound.providers.inspection.inspect_document import SAMPLE, Document, Inspection, inspect_document
from app.adapters.outbound.providers.inspection.provider_entry import EntryFacts, name_of, provider_entry
from app.application.ports.feed_trials import FeedFindings, FeedInspector, FeedUnderTrial
from app.application.ports.providers import FeedRefusedError, Provider

LOCAL = "times have no offset: say whose they are, such as Europe/Helsinki"
TOLD = "plans are told in it; say where they take place, such as Europe/Helsinki"
_PUBLIC = AddressPolicy()


@dataclass(frozen=True, slots=True)
class FetchingInspector(FeedInspector):
    """Fetches as a provider does."""

    get_of: Callable[[FeedUnderTrial], PinnedGet]
    """How a feed is asked for."""
    provider_of: Callable[[FeedUnderTrial, FeedFindings], Provider]
    """What reads it, by the kind that the findings name."""

    async def inspect(self, feed: FeedUnderTrial) -> FeedFindings:
        """As the port says."""
        watched = _WatchedAddresses(self.get_of(feed))
        try:
            fetch = fetch_of(feed.url, watched.get)
        except ValueError as error:
            raise FeedRefusedError(str(error)) from None
        fetched = await fetch(None)
        assert isinstance(fetched, FetchedFeed)  # noqa: S101 - nothing is the same as nothing
        try:
            return await asyncio.to_thread(_findings, feed, fetched, is_private=watched.is_private)
        finally:
            fetched.file.close()

    def provider(self, feed: FeedUnderTrial, findings: FeedFindings) -> Provider:
        """As the port says."""
        return self.provider_of(feed, findings)


class _WatchedAddresses:
    """Notes whether a host has an address that a provider may connect to only when its configuration says so."""

    def __init__(self, get: PinnedGet) -> None:
        self.is_private = False
        self._resolve = get.resolver
        self.get = replace(get, resolver=self._addresses)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        found = await self._resolve(host, port)
        self.is_private |= not all(_PUBLIC.allows(ip_address(one.partition("%")[0])) for one in found)
        return found


def _findings(feed: FeedUnderTrial, fetched: FetchedFeed, *, is_private: bool) -> FeedFindings:
    head = fetched.file.read(SAMPLE)
    size = fetched.file.seek(0, 2)
    found = inspect_document(
        Document(
            head=head,
            is_whole=size <= len(head),
            charset=fetched.charset,
            link=target_of(fetched.link, "next"),
            timezone=feed.timezone,
            base=name_of(feed.url),
        )
    )
    given = feed.options is not None
    kind = "mapped" if given else found.kind
    options = dict(found.options if feed.options is None else feed.options)
    timezone = feed.timezone or found.timezone or "UTC"
    facts = EntryFacts(
        url=feed.url,
        kind=kind or "mapped",
        timezone=timezone,
        zone_note="" if feed.timezone or found.timezone else LOCAL if found.is_local else TOLD,
        is_private=is_private,
        headers=feed.headers,
    )
    return FeedFindings(
        source=_source(feed.url),
        fetched_bytes=fetched.received,
        document_bytes=size,
        looked_at_bytes=len(head),
        format=found.recognised.format,
        encoding=found.recognised.encoding,
        said=found.recognised.said,
        repeated=found.repeated,
        kind=kind,
        timezone=timezone,
        options=options,
        entry=provider_entry(facts, options, {} if given else found.notes, () if given else _remarks(found))
        if kind
        else (),
        trouble=None if kind else found.trouble,
    )


def _remarks(found: Inspection) -> list[str]:
    remarks = []
    if found.unused:
        remarks.append(f"not used: {', '.join(found.unused)}")
    if found.others:
        remarks.append(f"records could be these, too: {', '.join(found.others)}")
    if found.recognised.doctype:
        remarks.append("it has a DOCTYPE")
    return remarks


def _source(url: str) -> str:
    return str(path_of(url)) if urlsplit(url).scheme == "file" else shown(httpx.URL(url))
