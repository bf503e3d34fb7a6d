"""What is open and what is limited, by where the service listens."""

import pytest

from app.adapters.inbound.http.local_only import LocalOnly
from app.application.ports.limits import Bucket, Rate
from app.domain.access import OPENABLE, Area
from app.infrastructure.exposure import RATES_ELSEWHERE, local_only, needlessly_open, open_areas, rates
from app.infrastructure.settings import Settings

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

    assert local_only(settings(host)) == LocalOnly(expected)
    assert local_only(settings(host, security={"hosts": ["M.example"]})) == LocalOnly(expected, ("m.example",))


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
