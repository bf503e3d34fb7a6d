#!/bin/sh
# pybreaker 1.4.1: a breaker around an `async def` never opens.
#
# A guess: the decorator, which is what the documentation shows first, counts what a coroutine raises.
# Seen: it calls the function, which makes a coroutine without raising anything, and takes that for a success. Ten
# failures with `fail_max=2` leave the circuit closed and its count at 0; the same function without `async` opens it
# at the second. `call_async` is for Tornado's coroutines alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "pybreaker==1.4.1" 2>/dev/null
v/bin/python - <<'PY'
import asyncio

import pybreaker

around_a_coroutine = pybreaker.CircuitBreaker(fail_max=2)
around_a_function = pybreaker.CircuitBreaker(fail_max=2)


@around_a_coroutine
async def ask():
    raise OSError("down")


@around_a_function
def ask_plainly():
    raise OSError("down")


async def main():
    for _ in range(10):
        try:
            await ask()
        except OSError:
            pass
        try:
            ask_plainly()
        except (OSError, pybreaker.CircuitBreakerError):
            pass


asyncio.run(main())
print("around a coroutine:", around_a_coroutine.current_state, around_a_coroutine.fail_counter)
print("around a function: ", around_a_function.current_state, around_a_function.fail_counter)
assert (around_a_coroutine.current_state, around_a_coroutine.fail_counter) == ("closed", 0)
assert around_a_function.current_state == "open"
PY
