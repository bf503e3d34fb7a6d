"""Keys and roles on a running service: several processes, restarts, a database that is away."""

import time

import pytest
from sqlalchemy import make_url

from app.domain.api_keys import compose
from tests.support.postgres import postgres_database
from tests.support.relay import Relay
from tests.support.service import Answer, Installation, Service
from tests.support.service_access import KEY, a_user, bearer, first_admin_key, json_of, send
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]

CLOSED = {"anonymous": ["health"]}
TWO = {"workers": 2}
TOO_MANY_BAD_KEYS = 429


def processes(service: Service, key: str, attempts: int = 60) -> dict[str, set[int]]:
    """Ask over many connections; say by process (the beginning of its request ids) which statuses it answered."""
    answered: dict[str, set[int]] = {}
    for _ in range(attempts):
        answer = service.ask("/catalog/providers", headers=bearer(key))
        answered.setdefault(answer.headers["x-request-id"].partition("-")[0], set()).add(answer.status)
    return answered


def test_the_first_start_shows_an_admin_key_once_and_never_in_its_log() -> None:
    with Installation() as installation:
        first = installation.run()
        key = first_admin_key(first)
        users = json_of(send(first, "GET", "/users", headers=bearer(key)))
        assert first.end() == 0
        second = installation.run()
        assert second.end() == 0

        assert [(user["username"], user["role"]) for user in users] == [("admin", "admin")]
        assert not any(KEY.search(str(line)) for line in first.log if "level" in line)
        assert not KEY.search(second.log_file.read_text())


def test_a_revoked_key_is_refused_in_every_process_within_a_second() -> None:
    with Installation(service=TWO, security=CLOSED) as installation:
        service = installation.run()
        admin = first_admin_key(service)
        key = a_user(installation, "reader", "reader")
        until(lambda: len(processes(service, key)) == 2)
        before = processes(service, key)
        user = next(
            u for u in json_of(send(service, "GET", "/users", headers=bearer(admin))) if u["username"] == "reader"
        )
        (known,) = json_of(send(service, "GET", f"/users/{user['id']}/keys", headers=bearer(admin)))

        revoked = send(service, "DELETE", f"/users/{user['id']}/keys/{known['id']}", headers=bearer(admin))
        time.sleep(1)
        after = processes(service, key)

        assert revoked.status == 204
        assert set(before) == set(after)
        assert all(statuses == {200} for statuses in before.values())
        assert all(401 in statuses <= {401, TOO_MANY_BAD_KEYS} for statuses in after.values())


def test_a_role_that_was_taken_and_a_user_who_was_deleted_are_honoured_within_a_second() -> None:
    with Installation(service=TWO, security=CLOSED) as installation:
        service = installation.run()
        admin = first_admin_key(service)
        key = a_user(installation, "op", "operator")
        user = next(u for u in json_of(send(service, "GET", "/users", headers=bearer(admin))) if u["username"] == "op")
        target = f"/users/{user['id']}"

        json_of(send(service, "PATCH", target, {"role": "writer"}, bearer(admin)))
        time.sleep(1)
        as_writer = {send(service, "POST", "/catalog/providers/x/sync", headers=bearer(key)).status for _ in range(20)}
        reads = processes(service, key, 20)
        assert send(service, "DELETE", target, headers=bearer(admin)).status == 204
        time.sleep(1)
        deleted = processes(service, key, 20)

        assert as_writer == {403}
        assert all(statuses == {200} for statuses in reads.values())
        assert all(401 in statuses <= {401, TOO_MANY_BAD_KEYS} for statuses in deleted.values())


def test_a_database_that_is_down_locks_out_nobody_who_has_a_key() -> None:
    with postgres_database() as url, Installation() as installation:
        server = make_url(url)
        with Relay(server.host or "127.0.0.1", server.port or 5432) as relay:
            through = server.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
            installation.configure(database={"url": through, "timeout": 1}, security=CLOSED)
            assert installation.command("migrate").returncode == 0
            service = installation.run()
            admin = first_admin_key(service)
            key = a_user(installation, "reader", "reader")
            never_used = a_user(installation, "newcomer", "reader")
            nobodys = compose("0123456789", "0" * 32)  # it reads like a key: only the database can tell
            assert service.ask("/catalog/providers", headers=bearer(key)).status == 200
            time.sleep(3)  # by then every process has read the keys ahead

            relay.down()
            time.sleep(3)
            known = service.ask("/catalog/providers", headers=bearer(key))
            newcomer = service.ask("/catalog/providers", headers=bearer(never_used))
            unknown = service.ask("/catalog/providers", headers=bearer(nobodys))
            forged = service.ask("/catalog/providers", headers=bearer(key[:-1] + ("1" if key.endswith("0") else "0")))
            relay.up()
            until(lambda: service.ask("/catalog/providers", headers=bearer(nobodys)).status == 401)

            assert (known.status, newcomer.status) == (200, 200)
            assert (unknown.status, unknown.json["error"]["code"]) == (503, "history_unavailable")
            assert forged.status == 401
            assert send(service, "GET", "/users", headers=bearer(admin)).status == 200


def test_beyond_loopback_everything_but_search_and_health_asks_for_a_key() -> None:
    with Installation(service={"host": "0.0.0.0"}) as installation:
        service = installation.run()
        admin = first_admin_key(service)
        closed = [
            "/stats",
            "/metrics",
            "/catalog/providers",
            "/catalog/changes",
            "/openapi.json",
            "/dashboard/state",
            "/users",
        ]

        opened = {
            target: service.ask(target).status for target in ("/search", "/health", "/health/ready", "/", "/docs")
        }
        refused = {target: service.ask(target) for target in closed}
        posted = send(service, "POST", "/events", {"type": "view"})
        with_key = {target: service.ask(target, headers=bearer(admin)).status for target in closed}
        by_header = service.ask("/stats", headers={"X-API-Key": admin}).status

        assert set(opened.values()) == {200}, opened
        assert {answer.status for answer in (*refused.values(), posted)} == {401}
        assert {answer.json["error"]["code"] for answer in (*refused.values(), posted)} == {"unauthenticated"}
        assert refused["/stats"].headers["www-authenticate"] == "Bearer"
        assert set(with_key.values()) == {200}, with_key
        assert by_header == 200


def test_on_loopback_a_name_that_somebody_led_here_opens_nothing_more_than_beyond_it() -> None:
    with Installation(security={"hosts": ["marquee.example"]}) as installation:
        service = installation.run()
        admin = first_admin_key(service)
        local = ["/stats", "/metrics", "/catalog/providers", "/catalog/changes", "/openapi.json", "/dashboard/state"]

        def ask(target: str, host: str, **headers: str) -> Answer:
            return send(service, "GET", target, headers={"Host": host, **headers})

        rebound = {target: ask(target, "evil.example:8000") for target in local}
        posted = send(service, "POST", "/events", {"type": "view"}, {"Host": "evil.example"})
        with_key = {target: ask(target, "evil.example", **bearer(admin)).status for target in local}
        always = {target: ask(target, "evil.example").status for target in ("/search", "/health", "/")}
        known = {
            host: ask("/stats", host).status for host in ("localhost", "127.0.0.1:1", "[::1]", "marquee.example:80")
        }

        assert {(answer.status, answer.json["error"]["code"]) for answer in (*rebound.values(), posted)} == {
            (403, "unknown_host")
        }
        assert "found 'evil.example:8000': send a key, or list" in rebound["/stats"].json["error"]["message"]
        assert set(with_key.values()) == set(always.values()) == set(known.values()) == {200}


def test_what_is_opened_beyond_loopback_is_warned_of_at_each_start() -> None:
    opened = {"anonymous": ["search", "health", "metrics"]}
    with Installation(service={"host": "0.0.0.0"}, security=opened) as installation:
        for _ in range(2):
            service = installation.run()
            warned = [line for line in service.log if line.get("areas") == "metrics"]
            assert (len(warned), service.ask("/metrics").status, service.ask("/stats").status) == (1, 200, 401)
            assert service.end() == 0
        installation.configure(service={"host": "0.0.0.0", **TWO}, security=opened)
        several = installation.start("api").until_ready()
        assert len([line for line in several.log if line.get("areas") == "metrics"]) == 1


def test_a_caller_that_is_too_fast_is_told_when_to_come_again() -> None:
    limits = {"reads": {"per_second": 0.01, "burst": 3}, "search": {"per_second": 0.01, "burst": 2}}
    with Installation(rate_limits=limits) as installation:
        service = installation.run()
        key = a_user(installation, "reader", "reader")

        reads = [service.ask("/catalog/providers") for _ in range(5)]
        searches = [service.ask("/search") for _ in range(4)]
        another = service.ask("/catalog/providers", headers=bearer(key))

        assert [answer.status for answer in reads[:3]] == [200] * 3
        assert (reads[4].status, reads[4].json["error"]["code"]) == (429, "rate_limited")
        assert int(reads[4].headers["retry-after"]) >= 1
        assert "ratelimit" in reads[0].headers
        assert "ratelimit-policy" in reads[0].headers
        assert [answer.status for answer in searches[:2]] == [200] * 2
        assert searches[3].status == 429
        assert another.status == 200
        assert {service.ask("/health").status for _ in range(10)} == {200}


def test_a_proxy_in_front_of_what_is_open_on_loopback_is_told_of_once() -> None:
    with Installation() as installation:
        service = installation.run()
        for target in ("/search", "/stats", "/search"):
            assert service.ask(target, headers={"X-Forwarded-For": "192.0.2.1", "Via": "1.1 x"}).status == 200

        told = [line for line in service.log if "a proxy stands in front" in line["event"]]

        assert [(line["level"], line["header"]) for line in told] == [("warning", "x-forwarded-for")]
        assert "security.anonymous" in told[0]["event"]
