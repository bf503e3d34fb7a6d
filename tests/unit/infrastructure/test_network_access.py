"""What is open and what is limited, by where the service listens."""

import pytest
from structlog.testing import capture_logs

from app.adapters.inbound.http.access.local_areas import LocalAreas
from app.application.ports.limits import Bucket, Rate
from app.domain.access import OPENABLE, Area
from app.infrastructure.settings.network_access import (
    RATES_ELSEWHERE,
    needlessly_open,
    open_areas,
    open_to_any_page,
    rates,
)
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.access_warnings import warn_of_open_doors, warn_of_proxy
from app.infrastructure.wiring.configured_adapters import local_only

HERE = ["127.0.0.1", "127.9.9.9", "::1", "localhost"]
ELSEWHERE = ["0.0.0.0", "::", "::1234", "127.example", "localhost.example", "10.0.0.1", ""]


def settings(host: str, **sections: object) -> Settings:
    return Settings.model_validate({"service": {"host": host}, **sections})


@pytest.mark.parametrize("host", HERE)
def test_everything_but_admin_is_open_where_nobody_else_can_reach_it(host: str) -> None:
    here = settings(host)

    assert open_areas(here) == frozenset(Area) - {Area.ADMIN, Area.PAGE}
    assert rates(here) == {}
    assert not needlessly_open(here)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_everything_but_search_and_health_is_closed_and_limited_everywhere_else(host: str) -> None:
    elsewhere = settings(host)

    assert open_areas(elsewhere) == {Area.SEARCH, Area.HEALTH}
    assert rates(elsewhere) == RATES_ELSEWHERE
    assert not needlessly_open(elsewhere)


def test_what_the_settings_list_is_open_and_nothing_else() -> None:
    listed = settings("0.0.0.0", security={"anonymous": ["search", "metrics"]})

    assert open_areas(listed) == {Area.SEARCH, Area.METRICS}
    assert needlessly_open(listed) == {Area.METRICS}
    assert open_areas(settings("127.0.0.1", security={"anonymous": []})) == frozenset()


@pytest.mark.parametrize("host", HERE)
def test_what_is_open_only_because_nobody_else_reaches_it_is_so_for_who_asks_for_this_machine(host: str) -> None:
    expected = open_areas(settings(host)) - {Area.SEARCH, Area.HEALTH}

    assert local_only(settings(host)) == LocalAreas(expected)
    assert local_only(settings(host, security={"hosts": ["M.example"]})) == LocalAreas(expected, ("m.example",))


def test_what_somebody_has_opened_is_open_under_every_name() -> None:
    listed = {"anonymous": ["search", "stats"]}

    assert not local_only(settings("127.0.0.1", security=listed)).areas
    assert not local_only(settings("0.0.0.0")).areas
    assert not local_only(settings("0.0.0.0", security=listed)).areas


def test_admin_can_be_opened_by_nobody() -> None:
    assert Area.ADMIN not in OPENABLE


def test_a_limit_that_is_set_holds_wherever_the_service_listens() -> None:
    limits = {"search": {"per_second": 5, "burst": 9}, "ingest": "none"}

    assert rates(settings("127.0.0.1", rate_limits=limits)) == {Bucket.SEARCH: Rate(5, 9)}
    expected = {**RATES_ELSEWHERE, Bucket.SEARCH: Rate(5, 9)}
    del expected[Bucket.INGEST]
    assert rates(settings("0.0.0.0", rate_limits=limits)) == expected


def warnings_of(settings: Settings) -> list[str]:
    with capture_logs() as lines:
        warn_of_open_doors(settings)
    return [line["event"] for line in lines]


@pytest.mark.parametrize("host", HERE)
def test_any_page_may_read_what_is_open_on_loopback_and_is_warned_of(host: str) -> None:
    anybody = {"cors_origins": ["*"]}

    assert open_to_any_page(settings(host, security=anybody)) == open_areas(settings(host)) - {Area.SEARCH, Area.HEALTH}
    assert ["name the origins that may" in line for line in warnings_of(settings(host, security=anybody))] == [True]
    listed = anybody | {"anonymous": ["search", "stats"]}
    assert open_to_any_page(settings(host, security=listed)) == {Area.STATS}
    for quiet in ({"cors_origins": ["https://a.example"]}, anybody | {"anonymous": ["search", "health"]}, {}):
        assert warnings_of(settings(host, security=quiet)) == []


def test_a_page_that_may_ask_where_a_key_is_needed_is_no_danger() -> None:
    assert warnings_of(settings("0.0.0.0", security={"cors_origins": ["*"]})) == []


def test_a_proxy_that_is_configured_in_front_of_what_is_open_on_loopback_is_warned_of() -> None:
    trusted = {"trusted_proxies": ["127.0.0.1"]}

    assert ["everybody who reaches the proxy" in line for line in warnings_of(settings("::1", security=trusted))] == [
        True
    ]
    assert warnings_of(settings("0.0.0.0", security=trusted)) == []
    assert warnings_of(settings("::1", security=trusted | {"anonymous": ["search"]})) == []


def test_a_proxy_that_shows_itself_is_warned_of_where_the_address_opens_something() -> None:
    warn = warn_of_proxy(settings("127.0.0.1"))

    assert warn is not None
    with capture_logs() as lines:
        warn("via")
    assert [(line["log_level"], line["header"]) for line in lines] == [("warning", "via")]
    assert "stats" in lines[0]["areas"]
    assert "security.anonymous" in lines[0]["event"]
    assert warn_of_proxy(settings("0.0.0.0")) is None
    assert warn_of_proxy(settings("127.0.0.1", security={"anonymous": ["stats"]})) is None
