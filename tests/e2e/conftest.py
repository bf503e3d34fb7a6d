"""One service for all tests that only ask: both dialects, Madrid's clock changes, and a provider that fails."""

from collections.abc import Iterator

import pytest

from tests.support.feed_files import FeedServer, a_feed, an_item
from tests.support.service import REPOSITORY, Installation, Service
from tests.support.waiting import until

DEMO = REPOSITORY / "app" / "adapters" / "outbound" / "providers" / "demo"
DATA = REPOSITORY / "tests" / "data"
RESPONSES = (1, 2, 3)


def recorded(name: str, pattern: str) -> dict[str, object]:
    """Settings of a provider that gives its three responses one after the other."""
    files = [pattern.format(number) for number in RESPONSES]
    return {"name": name, "kind": "recorded", "files": files, "timezone": "Europe/Madrid", "interval": 3600}


CLOCK_CHANGES = a_feed(
    (
        an_item("fold", title="Fold", starts="2023-10-29T02:30:00", ends="2023-10-29T03:30:00"),
        an_item("gap", title="Gap", starts="2023-03-26T02:30:00", ends="2023-03-26T04:00:00"),
        an_item("summer", title="Summer", starts="2023-07-01T00:00:00", ends="2023-07-01T01:00:00"),
        an_item("unlit", title="Offline", starts="2023-07-02T00:00:00", mode="offline"),
    )
)


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    with Installation() as installation, FeedServer("<html>down for maintenance</html>") as broken:
        madrid = installation.write("madrid.xml", CLOCK_CHANGES)
        installation.configure(
            recorded("demo", str(DEMO / "response_{}.xml")),
            recorded("other", str(DATA / "dialect_a_{}.xml")),
            {"name": "madrid", "url": madrid, "timezone": "Europe/Madrid", "interval": 3600},
            broken.provider("broken"),
            search={"timezone": "Europe/Madrid"},
        )
        yield installation


@pytest.fixture(scope="session")
def service(installation: Installation) -> Service:
    """All feeds have been read to their last response."""
    service = installation.run()

    def has_read_all() -> bool:
        runs = {name: service.ask(f"/catalog/providers/{name}/runs").json for name in ("demo", "other", "madrid")}
        return [len(found) for found in runs.values()] == [3, 3, 1] and service.finds(title="Fold")

    until(has_read_all)
    until(lambda: len(service.search("ends_at=2022-07-03T00:00:00Z")) == 7)
    until(lambda: {"demo": 3.0, "other": 3.0, "madrid": 1.0}.items() <= applied_runs(service).items())
    return service


def applied_runs(service: Service) -> dict[str, float]:
    """What /metrics says, which looks at the catalog every second."""
    applied = service.samples("marquee_sync_runs_total", outcome="applied")
    return {sample.labels["provider"]: sample.value for sample in applied}
