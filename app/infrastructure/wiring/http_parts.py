"""What the HTTP adapter is given beside use cases: limits, and questions to the index of this process."""

from collections.abc import Callable
from datetime import tzinfo
from functools import partial

from starlette.types import ASGIApp

from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.ingest.ingest_door import IngestLimits
from app.adapters.inbound.http.operations.health_router import SearchState, catalog_figures
from app.adapters.inbound.http.operations.metric_families import Figures
from app.adapters.inbound.http.operations.service_figures import service_figures
from app.adapters.inbound.http.search.quick_search import QuickSearch
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.watch_catalog import WatchCatalog
from app.application.watch_service import WatchService
from app.domain.access import Area
from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.settings.settings import Settings
from app.infrastructure.version import VERSION


def ingest_limits(settings: Settings) -> IngestLimits:
    """Say how much one request may bring."""
    activity = settings.activity
    return IngestLimits(activity.array_limit, activity.batch_limit, activity.max_body_bytes)


def lenient_areas(settings: Settings) -> frozenset[Area]:
    """Say where query parameters that no route knows are ignored."""
    return frozenset({Area.PAGE, Area.SEARCH} if settings.search.unknown_parameters == "ignore" else {Area.PAGE})


def readiness(index: LiveIndex) -> Callable[[], bool]:
    """Make what tells whether the index holds the catalog."""
    return lambda: index.ready


def plan_count(index: LiveIndex) -> Callable[[], int]:
    """Make what tells how many plans the index holds."""
    return lambda: index.size


def tells_health(anonymous: frozenset[Area]) -> bool:
    """Whether health says to everybody what metrics say."""
    return Area.METRICS in anonymous


def metric_figures(watch: WatchCatalog, service: WatchService, search: SearchState) -> Figures:
    """Make what metrics ask for the catalog's and the service's figures."""
    return Figures(partial(catalog_figures, watch, search), partial(service_figures, service, VERSION))


def traced_http(tracing: Tracing, app: ASGIApp) -> ASGIApp:
    """Put traces around everything else, when they are on."""
    return tracing.http(app)


def quick_search(  # noqa: PLR0913 - what it answers from, asks and tells
    *,
    index: LiveIndex,
    timezone: tzinfo,
    observe: Callable[[int, float], None],
    gatekeeper: Gatekeeper,
    lenient_areas: frozenset[Area],
    tracing: Tracing,
) -> QuickSearch | None:
    """Make what answers searches in front of everything else, where nobody needs to be asked about them."""
    if not gatekeeper.search_is_free:
        return None
    return QuickSearch(index, timezone, observe, lenient_areas=lenient_areas, is_traced=tracing.chooses)
