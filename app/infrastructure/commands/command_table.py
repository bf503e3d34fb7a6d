"""All commands of `marquee`, in the order of its help: one more is one more entry (lazy_commands.py says of what)."""

from functools import partial

from app.infrastructure.commands.lazy_commands import LazyCommand

_CLI = "app.adapters.inbound.cli"
_SETUP = "app.infrastructure.commands.installation_commands"

_role = partial(LazyCommand, source="app.infrastructure.commands.role_commands:add_role_commands")
_backup = partial(LazyCommand, source=f"{_SETUP}:add_backup")
_catalog = partial(LazyCommand, source=f"{_CLI}.catalog_commands:add_catalog_commands", opens="catalog_commands")
_history = partial(LazyCommand, live_state=False)
_users = partial(_history, source=f"{_CLI}.user_commands:add_user_commands", opens="user_use_cases")

COMMANDS = (
    _role("run", help="Run everything: Redis, the scheduler and the API, supervised, until Ctrl-C."),
    _role("api", help="Run the API alone, on a machine of its own."),
    _role("scheduler", help="Run the scheduler alone, on a machine of its own."),
    _role(
        "worker",
        help="Run one worker alone: it stores activities and writes the journal. Any number may run, anywhere.",
    ),
    _role("indexer", help="Keep the index file of data_dir, from which the API's next start answers at once."),
    _role("migrate", help="Bring the database to the newest schema; every start does it with the embedded one."),
    _role("prepare", help="See to the history before the processes of `marquee run` work.", hidden=True),
    LazyCommand(
        "init",
        "Write a commented config.yaml, with every key and its default, and the demo provider.",
        f"{_SETUP}:add_init",
    ),
    LazyCommand(
        "check",
        "Say whether all that the configuration names can be reached. Exit code 1: something cannot.",
        f"{_SETUP}:add_check",
    ),
    _backup(
        "backup", help="Copy Redis and the history into an empty directory, while the service runs, and check the copy."
    ),
    _backup("restore", help="Put a backup where the settings say that the installation is; the service must not run."),
    LazyCommand(
        "history",
        "The whole history: activities, figures, journal, users, keys, webhooks.",
        f"{_SETUP}:add_history",
    ),
    _role("version", help="Say which version this is."),
    _catalog("sync", help="Sync providers now. Exit code 0: all applied, or nothing to do."),
    LazyCommand(
        "providers",
        "List the providers and how they fare; `providers try` reads a feed that is not configured yet.",
        f"{_SETUP}:add_providers",
        "catalog_commands",
    ),
    _catalog("runs", help="List a provider's newest syncs."),
    _catalog("rejections", help="List what of a provider's feed cannot be used now."),
    _catalog("held", help="List what the gate holds of a provider, plan by plan."),
    _history(
        "import",
        "Import activities; safe to repeat, and to continue after a kill. Exit code 1: cut short, or no usable row.",
        f"{_CLI}.import_command:add_import_command",
        "import_command",
    ),
    LazyCommand(
        "imports",
        "What was imported, each with its id.",
        f"{_CLI}.imports_commands:add_imports_commands",
        "imports_commands",
    ),
    LazyCommand(
        "forget",
        "Forget visitors, sources or single activities for good, wherever something is kept of them.",
        f"{_CLI}.forget_command:add_forget_command",
        "forget_command",
    ),
    _history(
        "export",
        "Take out what is kept: to standard output, or to a file.",
        f"{_CLI}.export_command:add_export_commands",
        "export_parts",
    ),
    _history(
        "activities",
        "Raw activities, apart from what was counted of them.",
        f"{_CLI}.activities_commands:add_activities_commands",
        "activities_commands",
    ),
    _catalog("catalog", source=f"{_SETUP}:add_catalog", help="The catalog as a whole."),
    _history("stats", "Figures over activities.", f"{_CLI}.stats_commands:add_stats_commands", "stats_use_cases"),
    _users("users", help="The people and apps that may use the service."),
    _users("keys", help="Their keys: shown once, two live ones at a time."),
    _history(
        "webhooks",
        "Who is told of what happens, by HTTP.",
        f"{_CLI}.webhook_commands:add_webhook_commands",
        "webhooks_use_cases",
    ),
    LazyCommand(
        "dead-letters",
        "Activities that could not be stored: kept until you decide.",
        f"{_CLI}.dead_letter_commands:add_dead_letter_commands",
        "dead_letters",
    ),
)
