#!/bin/sh
# typer 0.29.2: a command takes the process's `sys.excepthook`, and Click is no longer the one that one can import.
#
# A guess: Typer is a layer over the package `click`; catching `click.ClickException` around an application catches
# its complaints, and a hook that the program has set for uncaught exceptions stays.
# Seen: Click is inside Typer, as `typer._click`; `click` is not even installed with it, and with click 8.5.1 beside
# it a wrong option raises an exception that is no `click.ClickException`. Calling an application replaces
# `sys.excepthook`, also with `standalone_mode=False` and with `pretty_exceptions_enable=False`: a program that has
# its own sets it again inside.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "typer==0.29.2" 2>/dev/null
v/bin/python -c 'import click' 2>/dev/null && { echo "typer installs click again"; exit 1; }
v/bin/python -m pip --disable-pip-version-check install -q "click==8.5.1" 2>/dev/null
v/bin/python - <<'PY'
import sys

import click
import typer


def ours(kind, error, trace):
    """Stands for a program's own hook."""


def made(**options):
    application = typer.Typer(**options)

    @application.command()
    def command() -> None:
        pass

    return application


for options in ({}, {"pretty_exceptions_enable": False}):
    sys.excepthook = ours
    made(**options)([], standalone_mode=False)
    print(options or "as it is", "- the hook is", sys.excepthook.__module__, sys.excepthook.__name__)
    assert sys.excepthook is not ours
try:
    made()(["--no-such-option"], standalone_mode=False)
except Exception as error:
    print("a wrong option raises", type(error).__module__, type(error).__name__)
    assert not isinstance(error, click.ClickException)
    assert type(error).__module__ == "typer._click.exceptions"
else:
    raise SystemExit("a wrong option raises nothing")
PY
