"""The tour by the client that openapi-python-client made: prints what it found."""

import json
import sys

from marquee_client import AuthenticatedClient
from marquee_client.api.activities import post_event_batch
from marquee_client.api.catalog import get_plan, list_providers, read_changes
from marquee_client.api.search import search_events
from marquee_client.api.stats import get_total, list_totals
from marquee_client.api.users import create_user, list_users
from marquee_client.models import CreateUserNewUserBody, PostEventBatchBody

url, key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)
plans = search_events.sync(client=client).data.events
known = get_plan.sync(plans[0].id, client=client)
posted = post_event_batch.sync(
    client=client, body=PostEventBatchBody.from_dict({"events": [{"type": "attrs", "value": 1.5}, {"type": "attrs"}]})
)
while not any(total.type_ == "attrs" and total.count == 2 for total in list_totals.sync(client=client)):
    pass
made = create_user.sync(client=client, body=CreateUserNewUserBody("attrs", "attrs@example.com"))
found = {
    "plans": sorted(plan.title for plan in plans),
    "same_plan": known.title == plans[0].title,
    "providers": [provider.name for provider in list_providers.sync(client=client)],
    "posted": [posted.accepted, posted.refused],
    "sum": get_total.sync("attrs", client=client).sum_,
    "user": made.username in [user.username for user in list_users.sync(client=client)],
    "changes": len(read_changes.sync(client=client).changes) >= len(plans),
}
sys.stdout.write(json.dumps(found))
