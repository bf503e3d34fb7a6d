"""What use cases have to say about trouble, as lines of the log."""

from collections.abc import Callable
from datetime import date

import structlog

from app.adapters.machine.logged_trouble import log_teller
from app.application.ports.activities import Difference
from app.application.retime_plans import Retiming
from app.domain.webhooks import Endpoint

log = structlog.get_logger()


def log_bug(words: str) -> Callable[[Exception], None]:
    """Make what keeps the trace of an error that nobody foresaw."""
    return lambda error: log.error(words, exc_info=error)


log_catalog_trouble = log_teller(
    "search goes on with the plans it has, changes will follow later", "search follows the catalog's changes"
)
log_indexing_trouble = log_teller(
    "the index file keeps what it has, changes will follow later", "the index file follows the catalog's changes"
)
log_worker_trouble = log_teller(
    "activities wait to be stored; nothing is lost, the queue keeps them", "activities are stored again"
)
log_index_file_trouble = log_teller(
    "the index file cannot be written and grows old; searches are answered, the next start takes longer",
    "the index file is written again",
)
log_limits_trouble = log_teller(
    "each process limits the rates of its own requests, for Redis does not count",
    "rates are counted by all processes together again",
)
log_sync_bug = log_bug("a sync met an error that it does not know")
log_delivery_bug = log_bug("deliveries of a webhook met an error that they do not know")


def log_refused_file(reason: str) -> None:
    """Say why an index file is not used."""
    log.warning("the index is loaded from Redis, or stays as it is", reason=reason)


def log_dead_letter(reason: str) -> None:
    """Say that somebody has to look at a dead letter."""
    log.error("activities cannot be stored and became a dead letter; see `marquee dead-letters list`", reason=reason)


def log_retimed(done: Retiming) -> None:
    """Say that plans have other instants, though their provider said nothing new; or that newer rules made them."""
    if done.newer:
        log.warning(
            "plans were timed by newer time zone rules than this process has: it mends none; update its tzdata",
            provider=done.provider,
            newer=done.newer,
            tzdata=done.rules,
        )
    elif done.retimed:
        log.warning(
            "time zone rules have changed; plans keep their wall clock and have other instants",
            provider=done.provider,
            retimed=done.retimed,
            tzdata=done.rules,
        )


def log_verified(difference: Difference | None) -> None:
    """Say what came of comparing the figures with the activities."""
    if difference is None:
        log.info("the figures agree with the activities")
    else:
        log.error(
            "the figures differ from the activities; `marquee stats rebuild` makes them anew",
            first=difference.rollup,
            kept=difference.kept,
            activities=difference.folded,
        )


def log_expired(count: int, before: date) -> None:
    """Say how many activities have left."""
    log.info("old activities have left, what was counted of them stays", activities=count, before=before.isoformat())


def log_switched_off(endpoint: Endpoint) -> None:
    """Say that somebody has to look at a webhook."""
    log.error("a webhook is switched off; see `marquee webhooks show`", webhook=endpoint.name, reason=endpoint.why_off)


def log_skipping(endpoint: Endpoint) -> None:
    """Say once that a webhook misses activities."""
    log.warning(
        "a webhook is not told all activities, because too many deliveries wait for it; see `marquee webhooks show`",
        webhook=endpoint.name,
    )


def log_failing(endpoint: Endpoint) -> None:
    """Say once that a webhook takes nothing, and once that it does again."""
    if endpoint.is_failing:
        log.warning("a webhook takes no messages; they wait, see `marquee webhooks show`", webhook=endpoint.name)
    else:
        log.info("a webhook takes messages again", webhook=endpoint.name)


def log_publisher_bug(publisher: str, error: Exception) -> None:
    """Keep the trace of what nobody foresaw."""
    log.error("a publisher met an error that it does not know", publisher=publisher, exc_info=error)
