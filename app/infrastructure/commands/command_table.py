"""All commands of `marquee`, in the order of its help: one more is one more entry (lazy_commands.py says of what)."""

from app.infrastructure.commands.lazy_commands import LazyCommand

_CLI = "app.adapters.inbound.cli"
_ROLES = "app.infrastructure.commands.role_commands"
_CATALOG = f"{_CLI}.catalog_commands:add_catalog_commands"
_USERS = f"{_CLI}.user_commands:add_user_commands"

COMMANDS = (
    LazyCommand(
        "run",
        f"{_ROLES}:add_role_commands",
        "Run everything: Redis, the scheduler and the API, supervised, until Ctrl-C.",
    ),
    LazyCommand("api", f"{_ROLES}:add_role_commands", "Run the API alone, on a machine of its own."),
    LazyCommand("scheduler", f"{_ROLES}:add_role_commands", "Run the scheduler alone, on a machine of its own."),
    LazyCommand(
        "worker",
        f"{_ROLES}:add_role_commands",
        "Run one worker alone: it stores activities and writes the journal. Any number may run, anywhere.",
    ),
    LazyCommand(
        "migrate",
        f"{_ROLES}:add_migrate_command",
        "Bring the database to the newest schema; every start does it with the embedded one.",
    ),
    LazyCommand(
        "prepare",
        f"{_ROLES}:add_prepare_command",
        "See to the history before the processes of `marquee run` work.",
        hidden=True,
    ),
    LazyCommand(
        "init",
        "app.infrastructure.commands.setup_commands:add_init",
        "Write a commented config.yaml, with every key and its default, and the demo provider.",
    ),
    LazyCommand(
        "check",
        "app.infrastructure.commands.setup_commands:add_check",
        "Say whether all that the configuration names can be reached. Exit code 1: something cannot.",
    ),
    LazyCommand(
        "backup",
        "app.infrastructure.commands.setup_commands:add_backup",
        "Copy Redis and the history into an empty directory, while the service runs, and check the copy.",
    ),
    LazyCommand(
        "restore",
        "app.infrastructure.commands.setup_commands:add_backup",
        "Put a backup where the settings say that the installation is; the service must not run.",
    ),
    LazyCommand(
        "history",
        "app.infrastructure.commands.setup_commands:add_history",
        "The whole history: activities, figures, journal, users, keys, webhooks.",
    ),
    LazyCommand("version", f"{_ROLES}:add_version_command", "Say which version this is."),
    LazyCommand(
        "sync", _CATALOG, "Sync providers now. Exit code 0: all applied, or nothing to do.", "catalog_commands"
    ),
    LazyCommand("providers", _CATALOG, "List the providers and how they fare.", "catalog_commands"),
    LazyCommand("runs", _CATALOG, "List a provider's newest syncs.", "catalog_commands"),
    LazyCommand(
        "rejections", _CATALOG, "List the records of a provider's feed that could not be used.", "catalog_commands"
    ),
    LazyCommand(
        "import",
        f"{_CLI}.import_command:add_import_command",
        "Import activities; safe to repeat, and to continue after a kill. Exit code 1: cut short, or no usable row.",
        "import_command",
        live_state=False,
    ),
    LazyCommand("catalog", _CATALOG, "The catalog as a whole.", "catalog_commands"),
    LazyCommand(
        "stats",
        f"{_CLI}.stats_commands:add_stats_commands",
        "Figures over activities.",
        "stats_use_cases",
        live_state=False,
    ),
    LazyCommand("users", _USERS, "The people and apps that may use the service.", "user_use_cases", live_state=False),
    LazyCommand("keys", _USERS, "Their keys: shown once, two live ones at a time.", "user_use_cases", live_state=False),
    LazyCommand(
        "webhooks",
        f"{_CLI}.webhook_commands:add_webhook_commands",
        "Who is told of what happens, by HTTP.",
        "webhook_commands",
        live_state=False,
    ),
    LazyCommand(
        "dead-letters",
        f"{_CLI}.dead_letter_commands:add_dead_letter_commands",
        "Activities that could not be stored: kept until you decide.",
        "dead_letters",
    ),
)
