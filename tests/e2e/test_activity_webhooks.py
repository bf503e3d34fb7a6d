"""A webhook that is made over HTTP is told what visitors buy: signed, with its own headers, once it is stored."""

import pytest

from tests.support.service import Installation
from tests.support.service_access import bearer, first_admin_key, json_of, send
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]


def test_a_purchase_reaches_the_receiver_of_a_webhook_that_was_made_over_http() -> None:
    with Receiver() as receiver, Installation(webhooks={"allow_private_networks": True}) as installation:
        service = installation.run()
        admin = bearer(first_admin_key(service))
        wanted = {
            "name": "shop",
            "url": receiver.url,
            "names": ["activity.purchase"],
            "headers": {"X-Shop": "7", "Authorization": "Bearer kept"},
        }
        secret = json_of(send(service, "POST", "/webhooks", wanted, admin), 201)["secret"]
        activities = [
            {"type": "view", "user_id": "ana"},
            {"type": "purchase", "user_id": "ana", "value": 12.5, "properties": {"plan_id": "x"}},
        ]

        assert send(service, "POST", "/events", activities, admin).status == 202
        until(lambda: receiver.diary.received)
        until(lambda: json_of(send(service, "GET", "/webhooks/shop", None, admin))["pending"] == 0)

        [got] = receiver.diary.received
        assert got.is_signed_with(secret)
        assert (got.envelope["type"], got.envelope["subject"]) == ("marquee.activity.purchase.v1", "visitors/ana")
        assert got.envelope["data"]["properties"] == {"plan_id": "x"}
        assert (got.request.headers["x-shop"], got.request.headers["authorization"]) == ("7", "Bearer kept")
        [delivery] = json_of(send(service, "GET", "/webhooks/shop/deliveries", None, admin))
        assert (delivery["name"], delivery["state"]) == ("activity.purchase", "delivered")
        shown = send(service, "GET", "/webhooks/shop", None, admin)
        assert "kept" not in shown.body.decode()
        assert send(service, "DELETE", "/webhooks/shop", None, admin).status == 204
        assert send(service, "GET", "/webhooks/shop", None, admin).status == 404
