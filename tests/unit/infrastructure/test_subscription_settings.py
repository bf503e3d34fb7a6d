"""What may be said of a subscription, what is said of mistakes, and what it needs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.infrastructure.settings.configuration import load_settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.settings.subscription_extras import check_extras, missing_extra
from app.infrastructure.settings.subscription_settings import SubscriptionSettings

NATS = {"servers": ["nats://nats-1:4222"], "stream": "SHOP"}
SQS = {"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"}


def loaded(tmp_path: Path, *subscriptions: Any) -> tuple[SubscriptionSettings, ...]:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"subscriptions": list(subscriptions)}))
    return load_settings(file).subscriptions


def test_what_is_not_said_is_as_the_reference_has_it(tmp_path: Path):
    shop, orders = loaded(tmp_path, {"name": "shop", "nats": NATS}, {"name": "orders", "sqs": SQS})

    assert (shop.form, shop.types, shop.max_in_flight, shop.enabled) == ("auto", None, 100, True)
    assert shop.nats
    assert orders.sqs
    assert (shop.nats.durable, shop.nats.subject) == ("marquee", None)
    assert (orders.sqs.region_of_queue, orders.sqs.endpoint_of_queue) == (
        "eu-west-1",
        "https://sqs.eu-west-1.amazonaws.com",
    )


def test_secrets_come_from_the_environment_and_files_stand_beside_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SHOP_PASSWORD", "from-the-environment")
    known = {"user": "shop", "password": "${SHOP_PASSWORD}", "ca_file": "ca.pem"}

    (shop,) = loaded(tmp_path, {"name": "shop", "nats": {**NATS, **known}})

    assert shop.nats
    assert shop.nats.password
    assert shop.nats.password.get_secret_value() == "from-the-environment"
    assert shop.nats.ca_file == tmp_path / "ca.pem"
    assert "from-the-environment" not in repr(shop)


@pytest.mark.parametrize(
    ("subscription", "words"),
    [
        ({"name": "shop"}, "expected one of nats and sqs"),
        ({"name": "shop", "nats": NATS, "sqs": SQS}, "expected one of nats and sqs"),
        ({"name": "A shop", "nats": NATS}, "subscriptions[0].name"),
        ({"name": "shop", "nats": {**NATS, "servers": []}}, "subscriptions[0].nats.servers"),
        ({"name": "shop", "nats": {**NATS, "servers": ["http://x"]}}, "begins with nats:// or tls://"),
        ({"name": "shop", "nats": {**NATS, "servers": ["nats://u:secret@x"]}}, "it may have no user"),
        ({"name": "shop", "nats": {**NATS, "stream": "a.b"}}, "subscriptions[0].nats.stream"),
        ({"name": "shop", "nats": {**NATS, "user": "u"}}, "user, password: expected both or none"),
        ({"name": "shop", "nats": {**NATS, "user": "u", "password": "p", "token": "t"}}, "expected one of the two"),
        ({"name": "shop", "sqs": {"queue_url": "http://queues/1/orders"}}, "region: cannot be told"),
        ({"name": "shop", "sqs": {**SQS, "access_key_id": "x"}}, "expected both or none"),
        ({"name": "shop", "sqs": {**SQS, "session_token": "x"}}, "belongs to an access_key_id"),
        ({"name": "shop", "nats": NATS, "types": ["dau"]}, "can be no type of an activity"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_no_secret(tmp_path: Path, subscription: Any, words: str):
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, subscription)

    (line,) = raised.value.mistakes
    assert words in line
    assert "secret" not in line.replace("secret_access_key", "")


def test_two_subscriptions_of_one_name_are_a_mistake(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="two subscriptions of one name: shop"):
        loaded(tmp_path, {"name": "shop", "nats": NATS}, {"name": "shop", "sqs": SQS})


def test_an_extra_that_is_missing_is_told_in_one_line(tmp_path: Path):
    shop, orders = loaded(tmp_path, {"name": "shop", "nats": NATS}, {"name": "orders", "sqs": SQS})

    assert [missing_extra(one) for one in (shop, orders)] == [None, None]
    for one, extra in ((shop, "nats"), (orders, "sqs")):
        said = missing_extra(one, {"nats": "no_such_package", "sqs": "no_such_package"})
        assert said
        assert f"pip install -e '.[{extra}]'" in said
        assert "\n" not in said


def test_a_start_looks_at_the_extras_of_what_is_enabled(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"subscriptions": [{"name": "shop", "nats": NATS}]}))

    check_extras(load_settings(file))
    with pytest.raises(ConfigurationError, match=r"'shop' needs no_such_package"):
        check_extras(load_settings(file), {"nats": "no_such_package"})
