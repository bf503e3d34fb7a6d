"""The bound on types, at the door and in an import of a real service."""

import json

import pytest

from tests.support.service import Installation, Service
from tests.support.service_access import send
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]


def outcome(service: Service, type_: str) -> str:
    answer = send(service, "POST", "/events", {"type": type_})
    return "accepted" if answer.status == 202 else str(answer.json["error"]["code"])


def types_of(service: Service) -> list[str]:
    return [total["type"] for total in service.ask("/stats").json]


def test_a_type_too_many_is_refused_by_the_door_and_by_an_import() -> None:
    with Installation(activity={"max_types": 3}) as installation:
        service = installation.run()
        rows = installation.directory / "rows.csv"
        rows.write_text("type,occurred_at\n" + "".join(f"{kind},2026-01-05T10:00:00Z\n" for kind in ("b", "c", "d")))
        assert outcome(service, "a") == "accepted"
        until(lambda: types_of(service) == ["a"])

        imported = json.loads(installation.command("import", str(rows), "--json").stdout)

        assert (imported["stored"], imported["rejected_for"]) == (2, {"too_many_types": 1})
        until(lambda: types_of(service) == ["a", "b", "c"])
        assert outcome(service, "b") == "accepted"
        assert outcome(service, "a") == "accepted"
        assert [outcome(service, kind) for kind in ("e", "f")][-1] == "too_many_types"
