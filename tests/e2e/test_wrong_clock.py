"""What a process left behind whose clock was two hours ahead: the service goes on as if it had been right."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.feed_files import a_feed, an_item
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.faults, pytest.mark.timeout(600)]


def age(service: Service) -> float:
    return service.figure("marquee_sync_age_seconds", provider="west")


def test_syncs_and_circuits_do_not_wait_for_a_clock_that_was_ahead() -> None:
    with Installation() as installation:
        url = installation.write("west.xml", a_feed([an_item(1, title="First")]))
        installation.configure({"name": "west", "url": url, "interval": 3600})
        service = installation.run()
        until(lambda: service.finds(title="First"))
        ahead = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        with installation.redis() as client:
            state = json.loads(client.get("marquee:1:{p:west}:state") or b"")
            client.set("marquee:1:{p:west}:state", json.dumps(state | {"snapshot_at": ahead}))
            circuit = {"state": "open", "failures": 5, "opened_at": ahead, "reason": "it was down"}
            saved = [datetime.fromisoformat(ahead).timestamp(), circuit]
            client.set("marquee:1:{p:west}:breaker", json.dumps(saved))
        until(lambda: age(service) < -7000)
        service.end()
        installation.write("west.xml", a_feed([an_item(1, title="Second")]))

        service = installation.run()

        until(lambda: service.finds(title="Second"))
        until(lambda: age(service) >= 0)
        assert service.samples("marquee_circuit_state", provider="west", state="closed")[0].value == 1
