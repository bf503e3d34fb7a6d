"""The subscriptions that the settings name, each as a loop of a worker."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from pydantic import SecretStr

from app.adapters.inbound.intake.intake import Form, Intake, Most
from app.adapters.inbound.subscriptions.message_door import ChooseForm, MessageDoor, by_headers
from app.adapters.inbound.subscriptions.reader_report import ReaderReport
from app.adapters.inbound.subscriptions.subscription import OpenSubscription
from app.adapters.inbound.subscriptions.subscription_loop import SubscriptionLoop
from app.application.figures import count_delivered, count_messages
from app.application.note_refusals import NoteRefusals
from app.application.ports.figures import RunningProcess, Tally
from app.application.ports.subscriptions import SubscriptionReader, SubscriptionReaders
from app.application.ports.system import Clock
from app.application.record_activities import RecordActivities
from app.domain.senders import Sender
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.subscription_extras import check_extras
from app.infrastructure.settings.subscription_settings import NatsSettings, SqsSettings, SubscriptionSettings
from app.infrastructure.wiring.activity_wording import wording

if TYPE_CHECKING:
    from app.adapters.inbound.subscriptions.nats_jetstream import NatsSource
    from app.adapters.inbound.subscriptions.sqs_queue import SqsSource


def subscription_names(settings: Settings) -> Sequence[str]:
    """Name those that are to be read."""
    return [one.name for one in settings.subscriptions if one.enabled]


def subscription_loops(  # noqa: PLR0913 - a loop has all these
    *,
    settings: Settings,
    record_activities: RecordActivities,
    tally: Tally,
    subscription_readers: SubscriptionReaders,
    own_process: RunningProcess,
    clock: Clock,
    note: NoteRefusals,
) -> Sequence[SubscriptionLoop]:
    """Make a loop for each subscription that is enabled.

    Raises:
        ConfigurationError: what it needs is not installed.
    """
    check_extras(settings)
    activity, loops = settings.activity, []
    for one in settings.subscriptions:
        if not one.enabled:
            continue
        observe = partial(count_delivered, tally, one.name)
        most = Most(activity.array_limit, activity.batch_limit)
        intake = Intake(record_activities, most, observe, wording(settings), note)
        sender = Sender(f"subscription:{one.name}", types=None if one.types is None else frozenset(one.types))
        reader = SubscriptionReader(one.name, own_process.process_id, None, None, None, None)
        loops.append(
            SubscriptionLoop(
                name=one.name,
                open=opener(one),
                door=MessageDoor(intake, sender, _form(one), activity.max_body_bytes),
                report=ReaderReport(
                    reader=reader,
                    readers=subscription_readers,
                    clock=clock,
                    count=partial(count_messages, tally, one.name),
                ),
            )
        )
    return loops


def _form(subscription: SubscriptionSettings) -> ChooseForm:
    if subscription.form == "auto":
        return by_headers
    form = Form(subscription.form)
    return lambda _headers: form


def opener(subscription: SubscriptionSettings) -> OpenSubscription:
    """Make what opens a subscription; the packages that it needs are imported here, for they are extras."""
    if subscription.nats:
        from app.adapters.inbound.subscriptions.nats_jetstream import open_nats  # noqa: PLC0415 - an extra

        return partial(open_nats, _nats_source(subscription.nats, subscription.max_in_flight))
    from app.adapters.inbound.subscriptions.sqs_queue import open_sqs  # noqa: PLC0415 - an extra

    return partial(open_sqs, _sqs_source(cast("SqsSettings", subscription.sqs), subscription.max_in_flight))


async def probe(subscription: SubscriptionSettings) -> int:
    """Count what waits at the broker, and change nothing.

    Raises:
        SubscriptionUnavailableError: it cannot be read.
    """
    if subscription.nats:
        from app.adapters.inbound.subscriptions.nats_jetstream import probe_nats  # noqa: PLC0415 - an extra

        return await probe_nats(_nats_source(subscription.nats, 1))
    from app.adapters.inbound.subscriptions.sqs_queue import probe_sqs  # noqa: PLC0415 - an extra

    return await probe_sqs(_sqs_source(cast("SqsSettings", subscription.sqs), 1))


def _nats_source(settings: NatsSettings, most: int) -> "NatsSource":
    from app.adapters.inbound.subscriptions.nats_jetstream import NatsSource  # noqa: PLC0415 - an extra

    shown = settings.client_certificate
    return NatsSource(
        servers=settings.servers,
        stream=settings.stream,
        subject=settings.subject,
        durable=settings.durable,
        user=_plain(settings.user),
        password=_plain(settings.password),
        token=_plain(settings.token),
        ca_file=settings.ca_file,
        certificate=(shown.certificate, shown.key) if shown else None,
        most=most,
    )


def _sqs_source(settings: SqsSettings, most: int) -> "SqsSource":
    from app.adapters.inbound.subscriptions.sqs_queue import SqsSource  # noqa: PLC0415 - an extra

    return SqsSource(
        queue_url=settings.queue_url,
        region=settings.region_of_queue or "",
        endpoint=settings.endpoint_of_queue,
        access_key_id=_plain(settings.access_key_id),
        secret_access_key=_plain(settings.secret_access_key),
        session_token=_plain(settings.session_token),
        most=most,
    )


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
