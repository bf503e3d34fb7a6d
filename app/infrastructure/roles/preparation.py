"""What `marquee run` sees to before its processes work."""

from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup import history_checks
from app.infrastructure.startup.redis_warnings import warn_of_forgetful_redis
from app.infrastructure.wiring.open_container import open_container
from app.infrastructure.wiring.provider_directory import check_providers


async def prepare(settings: Settings) -> None:
    """Stop now, in one line, when the history has another schema, and not in every child; then see to what was lost.

    Raises:
        ConfigurationError: it has, or a provider cannot be made.
    """
    check_providers(settings)
    async with open_container(settings, "supervisor") as container:
        await warn_of_forgetful_redis(settings)
        await history_checks.warn_of_unused_history(container)
        await history_checks.let_history_shrink(container)
        await history_checks.restore_what_was_lost(container)
        await history_checks.forget_again(container)
        await history_checks.warn_of_days(container)
        await history_checks.let_first_admin_in(container)
