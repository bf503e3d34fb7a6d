"""Old activities leave a service that runs, and it says how far they reach."""

from datetime import UTC, datetime, timedelta

from tests.support.service import Installation
from tests.support.waiting import until

KEPT, DAYS = 5, 20


def test_a_service_lets_old_activities_leave_when_it_starts_and_keeps_their_figures() -> None:
    begun = datetime.now(UTC)
    rows = [f"view,{(begun - timedelta(days=n)).isoformat()},user-{n % 3},1.50\n" for n in range(DAYS)]
    with Installation(activity={"keep_days": KEPT}) as installation:
        installation.write("activities.csv", f"type,occurred_at,user_id,value\n{''.join(rows)}")
        imported = installation.command("import", str(installation.directory / "activities.csv"))
        assert imported.returncode == 0, imported.stderr
        before = installation.json_of("stats", "totals")

        service = installation.run()
        until(lambda: service.ask("/health").json["stats"]["activities_from"] is not None)
        day = service.ask("/health").json["stats"]["activities_from"]
        value = service.figure("marquee_activities_from_time_seconds")
        refused = service.ask("/stats", "DELETE")
        totals = service.ask("/stats").json
        service.end()

        first = (begun - timedelta(days=KEPT)).date()
        assert day in {first.isoformat(), (first + timedelta(days=1)).isoformat()}
        assert value == datetime.fromisoformat(f"{day}T00:00Z").timestamp()
        assert refused.status in {401, 409}
        assert totals == before == [{"type": "view", "count": DAYS, "sum": 30.0}]
        assert installation.json_of("stats", "verify") == {"agree": True, "difference": None, "from": day}
