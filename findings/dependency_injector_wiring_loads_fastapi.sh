#!/bin/sh
# dependency-injector 4.49.1 with FastAPI 0.165.0 installed: a container loads FastAPI, whether or not anybody wires anything.
#
# A guess: `from dependency_injector import containers, providers` loads the container; integrations load what they need.
# Seen: `containers` imports `wiring`, which tries to import FastAPI's and Starlette's classes to recognise them, and so loads
# all of FastAPI and pydantic. A command-line tool that shares an environment with a web service pays for it at each start.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "dependency-injector==4.49.1" "fastapi==0.165.0" 2>/dev/null
v/bin/python - <<'PY'
import sys

from dependency_injector import containers, providers


class Container(containers.DeclarativeContainer):
    thing = providers.Object(1)


assert Container().thing() == 1
loaded = sorted({"fastapi", "starlette", "pydantic"} & set(sys.modules))
print(len(sys.modules), "modules loaded, among them", loaded)
assert loaded == ["fastapi", "pydantic", "starlette"]
PY
