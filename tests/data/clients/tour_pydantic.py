"""The tour by the client that openapi-generator made: prints what it found."""

import json
import sys

from marquee_client import (
    ActivitiesApi,
    ApiClient,
    CatalogApi,
    Configuration,
    ListedActivity,
    NewUserBody,
    PostEventBatchRequest,
    PostEventsRequestOneOfInner,
    SearchApi,
    StatsApi,
    UsersApi,
)

url, key = sys.argv[1:]
with ApiClient(Configuration(host=url, access_token=key)) as client:
    catalog, stats, users = CatalogApi(client), StatsApi(client), UsersApi(client)
    plans = SearchApi(client).search_events().data.events
    known = catalog.get_plan(plans[0].id)
    activities = [ListedActivity(type="pydantic", value=1.5), ListedActivity(type="pydantic")]
    events = [PostEventsRequestOneOfInner(activity) for activity in activities]  # a record, or what is refused alone
    posted = ActivitiesApi(client).post_event_batch(PostEventBatchRequest(events=events))
    while not any(total.type == "pydantic" and total.count == 2 for total in stats.list_totals()):
        pass
    made = users.create_user(NewUserBody(username="pydantic", email="pydantic@example.com"))
    found = {
        "plans": sorted(plan.title for plan in plans),
        "same_plan": known.title == plans[0].title,
        "providers": [provider.name for provider in catalog.list_providers()],
        "posted": [posted.accepted, posted.refused],
        "sum": stats.get_total("pydantic").sum,
        "user": made.username in [user.username for user in users.list_users()],
        "changes": len(catalog.read_changes().changes) >= len(plans),
    }
sys.stdout.write(json.dumps(found))
