"""The command `marquee`: where the process begins."""

import gc

from app.infrastructure.time_zones.zone_rules import use_pinned_rules


def main() -> None:
    """Load the program and run the command line.

    Loading makes a million objects, of which next to none is garbage: looking for it would take a fifth of a start.
    """
    gc.disable()
    from app.infrastructure.processes.parent_watch import ended_with_supervisor  # noqa: PLC0415 - what is loaded without looking

    with ended_with_supervisor():
        use_pinned_rules()
        from app.infrastructure.commands.command_line import run_command_line  # noqa: PLC0415 - the same

    gc.enable()
    run_command_line()


if __name__ == "__main__":
    main()
