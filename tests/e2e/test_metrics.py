"""`/metrics` of a service of several processes: the same figures whichever of them answers."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import islice
from typing import Any

import pytest

from tests.support.both_processes import connections_to_both
from tests.support.service import Answer, Installation, Service, ask
from tests.support.service_access import bearer, first_admin_key, json_of, send
from tests.support.service_activities import known_activities, wire
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]


@pytest.fixture
def two_of_each() -> Iterator[Service]:
    with Installation(service={"workers": 2}, activity={"workers": 2}) as installation:
        yield installation.run()


@pytest.fixture
def connections(two_of_each: Service) -> Iterator[list[HTTPConnection]]:
    with connections_to_both(two_of_each) as connections:
        yield connections


def post(connection: HTTPConnection, body: bytes) -> Answer:
    connection.request("POST", "/events", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read())


def figures(connection: HTTPConnection) -> dict[str, Any]:
    answer = ask(connection, "/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    decoded: dict[str, Any] = answer.json
    return decoded


def by_label(service: Service, name: str, label: str) -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in service.samples(name) if sample.value}


def test_every_process_tells_the_figures_of_the_whole_service(
    two_of_each: Service, connections: list[HTTPConnection]
) -> None:
    for number, connection in enumerate(connections):
        sent = wire(list(islice(known_activities(number), 10)))
        assert [post(connection, sent).status, post(connection, sent).status] == [202, 202]
        assert post(connection, b'{"type":"Refused"}').status == 400
    everything = 10 * len(connections)

    def all_tell_it() -> bool:
        found = [figures(connection) for connection in connections]
        return all(
            (one["events_received"], one["events_processed"], one["events_duplicate"]) == (everything,) * 3
            and (one["events_failed"], one["current_queue_depth"], one["active_workers"]) == (0, 0, 2)
            and one["total_users"] == one["active_users"] == one["events"]["users.created"]
            for one in found
        )

    until(all_tell_it)
    one = figures(connections[0])
    assert 0 < one["average_processing_latency_ms"] < 60_000
    assert 0 < one["uptime_seconds"] < 120
    until(lambda: by_label(two_of_each, "marquee_processes", "role") == {"api": 2, "worker": 2, "scheduler": 1})
    outcomes = by_label(two_of_each, "marquee_activities_total", "outcome")
    assert outcomes.keys() == {"accepted", "duplicate", "refused"}
    assert by_label(two_of_each, "marquee_activities_total", "type")["(unknown)"] == len(connections)
    until(lambda: by_label(two_of_each, "marquee_activity_store_duration_seconds_bucket", "le").get("+Inf", 0) >= 1)


def test_every_process_tells_what_became_of_users_through_any_of_them(
    two_of_each: Service, connections: list[HTTPConnection]
) -> None:
    admin = bearer(first_admin_key(two_of_each))
    made = [
        json_of(send(two_of_each, "POST", "/users", {"username": f"u{n}", "email": f"u{n}@example.com"}, admin), 201)
        for n in range(5)
    ]
    for user in made[:3]:
        json_of(send(two_of_each, "PATCH", f"/users/{user['id']}", {"role": "writer"}, admin))
    for user in made[:2]:
        assert send(two_of_each, "DELETE", f"/users/{user['id']}", headers=admin).status == 204
    assert send(two_of_each, "POST", "/users", {"username": "U4", "email": "other@example.com"}, admin).status == 409

    def all_tell_it() -> bool:
        found = [figures(connection) for connection in connections]
        return all(
            (one["total_users"], one["active_users"], one["deleted_users"]) == (6, 4, 2)
            and [one["events"][f"users.{what}"] for what in ("created", "updated", "deleted")] == [6, 3, 2]
            and (one["events"]["events.published"], one["events"]["events.failed"]) == (11, 0)
            for one in found
        )

    until(all_tell_it)


def test_every_process_tells_which_clients_any_of_them_has_cut(
    two_of_each: Service, connections: list[HTTPConnection]
) -> None:
    for _ in connections:
        with closing(two_of_each.connect()) as connection:
            connection.connect()
            connection.sock.sendall(b"this is no request\r\n\r\n")
            assert connection.sock.recv(1000).startswith(b"HTTP/1.1 400 ")

    until(lambda: {figures(one)["clients_cut"]["malformed_request"] for one in connections} == {len(connections)})
    assert by_label(two_of_each, "marquee_clients_cut_total", "reason") == {"malformed_request": len(connections)}


def test_figures_outlive_the_processes_that_made_them(two_of_each: Service, connections: list[HTTPConnection]) -> None:
    first, more = wire(list(islice(known_activities(1), 50))), wire(list(islice(known_activities(2), 50)))
    assert post(connections[0], first).status == 202
    until(lambda: figures(connections[0])["events_processed"] == 50)
    until(lambda: two_of_each.figure("marquee_stored_activities_total") == 50)
    killed = {name: two_of_each.child(name) for name in ("api-1", "api-2", "worker-1", "worker-2")}

    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(two_of_each.child(name) != pid for name, pid in killed.items()))
    with connections_to_both(two_of_each) as opened:
        assert post(opened[0], more).status == 202
        names = ("events_received", "events_processed", "active_workers")
        until(lambda: [[figures(one)[name] for name in names] for one in opened] == [[100, 100, 2]] * len(opened), 20)

    until(lambda: two_of_each.figure("marquee_stored_activities_total") == 100)
