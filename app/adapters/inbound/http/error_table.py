"""The one table from errors to answers, put together of what the rooms and the core may raise."""

from app.adapters.formats.unpacking import TooMuchWorkError
from app.adapters.inbound.export_files.parquet import NoParquetError
from app.adapters.inbound.http.access import access_errors
from app.adapters.inbound.http.changes.change_stream import TooManyStreamsError
from app.adapters.inbound.http.connection import connection_errors
from app.adapters.inbound.http.dashboard.dashboard_stream import TooManyViewersError
from app.adapters.inbound.http.describing.answers import ErrorKind, ErrorTable
from app.adapters.inbound.http.exports.export_streams import TooManyExportsError
from app.adapters.inbound.http.search import search_errors
from app.adapters.inbound.intake import intake_errors
from app.adapters.inbound.reading.granularity import GranularityTwiceError
from app.adapters.inbound.reading.instants import (
    InvalidBoundError,
    InvalidDateError,
    InvalidDateTimeError,
    InvalidLengthError,
)
from app.adapters.inbound.reading.refusals import NotJsonError
from app.application.ask_funnel import FunnelBusyError, FunnelTooSlowError
from app.application.ports.activities import FrozenDaysError, QueueFullError
from app.application.ports.funnels import ActivitiesGoneError
from app.application.ports.period_stats import FigureIncompleteError
from app.application.ports.plan_list import PlansNotLoadedError
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.application.ports.users import TokensUnavailableError, UserMovedError
from app.application.read_changes import UnknownCursorError
from app.application.read_history import WindowTooWideError
from app.application.read_series import (
    DimensionMissingError,
    NoSuchSeriesError,
    TooManyHoursError,
    UnknownDimensionError,
)
from app.application.read_stats import (
    BeyondCalendarError,
    FromAfterToError,
    RangeTooLongError,
    RetentionNotKeptError,
    UnknownTypeError,
)
from app.domain.access import NotAllowedError, OnlyActivitiesError, UnauthenticatedError
from app.domain.api_keys import TooManyKeysError, UnknownKeyError
from app.domain.errors import (
    ListEndsBeforeItStartsError,
    NoSchedulerError,
    UnknownPlanError,
    UnknownProviderError,
    WindowEndsBeforeItStartsError,
)
from app.domain.funnels import InvalidFunnelError
from app.domain.publishable_keys import InvalidKeyError
from app.domain.users import EmailTakenError, InvalidUserError, UnknownUserError, UsernameTakenError
from app.domain.webhook_deliveries import UnknownDeliveryError
from app.domain.webhook_errors import InvalidWebhookError, UnknownWebhookError, WebhookNameTakenError

LIVE_STATE_AWAY = "the live state (Redis) cannot be used now: come again later; the log says why"
HISTORY_AWAY = "the history (SQL) cannot be used now: come again later; the log says why"
TOKENS_UNKNOWN = "whether this token is good cannot be told now: come again later; the log says why"

ERRORS = ErrorTable(
    {
        InvalidDateTimeError: ErrorKind(400, "invalid_date_time"),
        WindowEndsBeforeItStartsError: ErrorKind(400, "window_ends_before_it_starts"),
        connection_errors.UnknownParameterError: ErrorKind(400, "unknown_parameter"),
        search_errors.QueryTooLongError: ErrorKind(400, "query_too_long"),
        InvalidBoundError: ErrorKind(400, "invalid_date_time"),
        InvalidDateError: ErrorKind(400, "invalid_date"),
        GranularityTwiceError: ErrorKind(400, "granularity_twice"),
        ListEndsBeforeItStartsError: ErrorKind(400, "from_after_to"),
        FromAfterToError: ErrorKind(400, "from_after_to"),
        RangeTooLongError: ErrorKind(400, "range_too_long"),
        InvalidLengthError: ErrorKind(400, "invalid_length"),
        InvalidFunnelError: ErrorKind(400, "invalid_funnel"),
        ActivitiesGoneError: ErrorKind(400, "activities_gone"),
        FunnelTooSlowError: ErrorKind(400, "funnel_too_slow"),
        NoParquetError: ErrorKind(400, "no_parquet"),
        FunnelBusyError: ErrorKind(503, "funnel_busy", retry_after=5),
        TooManyHoursError: ErrorKind(400, "range_too_long"),
        NoSuchSeriesError: ErrorKind(400, "no_such_series"),
        RetentionNotKeptError: ErrorKind(400, "retention_not_kept"),
        UnknownDimensionError: ErrorKind(400, "unknown_dimension"),
        DimensionMissingError: ErrorKind(400, "dimension_missing"),
        FigureIncompleteError: ErrorKind(409, "figure_incomplete"),
        BeyondCalendarError: ErrorKind(400, "dates_out_of_range"),
        UnknownTypeError: ErrorKind(404, "unknown_type"),
        FrozenDaysError: ErrorKind(409, "frozen_days"),
        NotJsonError: ErrorKind(400, "invalid_json"),
        intake_errors.InvalidIdempotencyKeyError: ErrorKind(400, "invalid_idempotency_key"),
        intake_errors.NotAnActivityError: ErrorKind(400, "not_an_object"),
        intake_errors.NotABatchError: ErrorKind(400, "invalid_batch"),
        intake_errors.NoActivitiesError: ErrorKind(400, "no_activities"),
        intake_errors.TooDeepToSplitError: ErrorKind(400, "too_deep"),
        connection_errors.InvalidContentLengthError: ErrorKind(400, "invalid_content_length"),
        connection_errors.InvalidGzipError: ErrorKind(400, "invalid_gzip"),
        connection_errors.BodyTooLargeError: ErrorKind(413, "too_large"),
        TooMuchWorkError: ErrorKind(413, "too_slow_to_unpack"),
        intake_errors.TooLargeToSplitError: ErrorKind(413, "too_large"),
        intake_errors.TooMuchSharedError: ErrorKind(413, "too_large"),
        intake_errors.TooManyActivitiesError: ErrorKind(413, "too_many"),
        connection_errors.ClientGoneError: ErrorKind(400, "client_gone"),  # nobody will read it
        connection_errors.UnsupportedMediaTypeError: ErrorKind(415, "unsupported_media_type"),
        intake_errors.UnknownFormError: ErrorKind(415, "unsupported_media_type"),
        connection_errors.UnsupportedEncodingError: ErrorKind(415, "unsupported_encoding"),
        connection_errors.InvalidCursorError: ErrorKind(400, "invalid_cursor"),
        UnknownCursorError: ErrorKind(400, "unknown_cursor"),
        UnknownPlanError: ErrorKind(404, "unknown_plan"),
        UnknownProviderError: ErrorKind(404, "unknown_provider"),
        access_errors.UnknownPathError: ErrorKind(404, "not_found"),
        access_errors.WrongMethodError: ErrorKind(405, "method_not_allowed"),
        UnauthenticatedError: ErrorKind(401, "unauthenticated", fields=((b"www-authenticate", b"Bearer"),)),
        NotAllowedError: ErrorKind(403, "not_allowed"),
        OnlyActivitiesError: ErrorKind(403, "not_allowed"),
        access_errors.OriginNotAllowedError: ErrorKind(403, "origin_not_allowed"),
        access_errors.MisplacedKeyError: ErrorKind(400, "misplaced_key"),
        access_errors.ForeignPageError: ErrorKind(403, "foreign_page"),
        access_errors.UnknownHostError: ErrorKind(403, "unknown_host"),
        access_errors.RateLimitedError: ErrorKind(429, "rate_limited"),
        connection_errors.ShareTakenError: ErrorKind(429, "too_many_own_streams", retry_after=10),
        InvalidUserError: ErrorKind(400, "invalid_user"),
        InvalidKeyError: ErrorKind(400, "invalid_key"),
        UnknownUserError: ErrorKind(404, "unknown_user"),
        UnknownKeyError: ErrorKind(404, "unknown_key"),
        InvalidWebhookError: ErrorKind(400, "invalid_webhook"),
        UnknownWebhookError: ErrorKind(404, "unknown_webhook"),
        UnknownDeliveryError: ErrorKind(404, "unknown_delivery"),
        WebhookNameTakenError: ErrorKind(409, "webhook_name_taken"),
        UsernameTakenError: ErrorKind(409, "username_taken"),
        EmailTakenError: ErrorKind(409, "email_taken"),
        UserMovedError: ErrorKind(409, "user_moved"),
        TooManyKeysError: ErrorKind(409, "too_many_keys"),
        search_errors.CatalogNotLoadedError: ErrorKind(500, "catalog_not_loaded", retry_after=1),
        PlansNotLoadedError: ErrorKind(503, "catalog_not_loaded", retry_after=1),
        NoSchedulerError: ErrorKind(503, "no_scheduler", retry_after=5),
        TooManyStreamsError: ErrorKind(503, "too_many_streams", retry_after=10),
        TooManyExportsError: ErrorKind(503, "too_many_exports", retry_after=10),
        TooManyViewersError: ErrorKind(503, "too_many_viewers", retry_after=5),
        QueueFullError: ErrorKind(503, "queue_full", retry_after=5),
        connection_errors.TooManyBodiesError: ErrorKind(503, "too_many_bodies", retry_after=5),
        LiveStateUnavailableError: ErrorKind(
            503, "live_state_unavailable", retry_after=1, public_message=LIVE_STATE_AWAY, is_logged=True
        ),
        HistoryUnavailableError: ErrorKind(
            503, "history_unavailable", retry_after=5, public_message=HISTORY_AWAY, is_logged=True
        ),
        TokensUnavailableError: ErrorKind(  # whoever fetches the issuer's keys logs why, once
            503, "token_keys_unavailable", retry_after=5, public_message=TOKENS_UNKNOWN
        ),
        search_errors.PastUnavailableError: ErrorKind(500, "history_unavailable", retry_after=5),
        search_errors.TooManyPastSearchesError: ErrorKind(500, "too_many_past_searches", retry_after=5),
        WindowTooWideError: ErrorKind(400, "window_too_wide"),
    }
)
