"""Adapters that the settings decide about: who is told, whose tokens are taken, what is limited."""

import os
import secrets
import socket
from collections.abc import Sequence
from ipaddress import ip_network

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.inbound.http.access.local_areas import LocalAreas
from app.adapters.outbound.jwt.jwks import Jwks
from app.adapters.outbound.jwt.tokens import JwksTokens, TokenRules
from app.adapters.outbound.limits.shared_rate_limiter import RunScript, SharedRateLimiter
from app.adapters.outbound.log.publisher import LogPublisher
from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.domain_event_stream import RedisStreamPublisher
from app.adapters.outbound.redis.lua import Script
from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.webhooks.fan_out import WebhookFanOut
from app.application.ports.activities import ActivityInbox, ActivityQueue, ActivityStore
from app.application.ports.figures import RunningProcess
from app.application.ports.limits import RateLimiter
from app.application.ports.publishing import DomainEventPublisher
from app.application.ports.system import Clock
from app.application.ports.users import Tokens
from app.application.ports.webhooks import WebhookDeliveries, WebhookEndpoints
from app.domain.dimensions import DimensionTotals
from app.domain.rollups import Rollup
from app.domain.usual_rollups import rollups_of
from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.settings.network_access import is_loopback, open_by_address, rates
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.trouble_log import log_limits_trouble

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def rollups(settings: Settings) -> Sequence[Rollup]:
    """List what activities are counted by."""
    activity, stats = settings.activity, settings.stats
    usual = rollups_of(stats.view_types, stats.purchase_types)
    return (*usual, DimensionTotals(activity.dimensions, activity.max_dimension_values))


def running_process(role: str, clock: Clock) -> RunningProcess:
    """Name this process among all of the service."""
    return RunningProcess(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}", role, clock.now())


def activity_queue(settings: Settings, client: RedisClient, replicas: int, tracing: Tracing) -> ActivityQueue:
    """Make the door's queue. Appends are traced when traces are on; the next two do so for a worker."""
    activity = settings.activity
    queue = RedisActivityQueue(
        client,
        window=activity.dedup_window,
        max_backlog=activity.max_backlog,
        max_backlog_bytes=activity.max_backlog_bytes,
        replicas=replicas,
        trace=tracing.current,
    )
    return tracing.queue(queue)


def traced_inbox(tracing: Tracing, inbox: ActivityInbox) -> ActivityInbox:
    """See `activity_queue`."""
    return tracing.inbox(inbox)


def traced_store(tracing: Tracing, store: ActivityStore, database: Database) -> ActivityStore:
    """See `activity_queue`."""
    return tracing.store(store, database)


def publishers(
    settings: Settings, client: RedisClient, endpoints: WebhookEndpoints, deliveries: WebhookDeliveries, clock: Clock
) -> Sequence[DomainEventPublisher]:
    """Say who is told of domain events."""
    publishing = settings.publishing
    told: list[DomainEventPublisher] = [WebhookFanOut(endpoints, deliveries, clock, publishing.source)]
    if publishing.log:
        told.append(LogPublisher())
    if publishing.redis_stream:
        told.append(RedisStreamPublisher(client, publishing.source, length=publishing.stream_length))
    return told


def webhook_request(settings: Settings) -> PinnedRequest:
    """Make what sends webhooks: to public addresses, and to this machine when only this machine reaches the service."""
    policy = AddressPolicy(
        allow_private_networks=settings.webhooks.allow_private_networks,
        allowed_networks=LOOPBACK if is_loopback(settings.service.host) else (),
    )
    return PinnedRequest(policy=policy)


def local_only(settings: Settings) -> LocalAreas:
    """Say what is open only because the service listens on loopback, and by which names this machine is asked."""
    return LocalAreas(open_by_address(settings), settings.security.hosts)


def tokens(settings: Settings, clock: Clock) -> Tokens | None:
    """Make what verifies tokens of another issuer; None when there is none."""
    jwt = settings.security.jwt
    if jwt is None:
        return None
    rules = TokenRules(
        issuer=jwt.issuer, audience=jwt.audience, algorithms=jwt.algorithms, scopes=jwt.scopes, leeway=jwt.leeway
    )
    send = PinnedRequest(policy=AddressPolicy(allow_private_networks=jwt.allow_private_networks))
    return JwksTokens(rules, Jwks(jwt.jwks_url, send, cache=jwt.cache, stale=jwt.stale), clock)


def rate_limiter(settings: Settings, client: RedisClient) -> RateLimiter:
    """Make what counts requests, in Redis for all processes together."""

    def prepare(source: str) -> RunScript:
        script = Script(source)
        return lambda keys, arguments: client.run(script, keys, arguments)

    return SharedRateLimiter(rates(settings), prepare, log_limits_trouble)
