#!/bin/sh
# pip 22.3 and 23.2.1, which Python 3.11 brings, against pip 23.3.2: a lock file in which everything is pinned with hashes
# is refused when one package of it asks for another with an extra.
#
# A guess: with `--require-hashes`, `coverage==7.6.0` of the file is also what pytest-cov 6.0.0 gets for `coverage[toml]`.
# Seen: to the resolver of pip before 23.3, `coverage[toml]>=7.5` is a candidate of its own, for which it takes the newest
# release of the index, and then complains that this one is not pinned. So a lock that is complete stops installing on the
# day on which the other package has a newer release, without a change of the lock. `--no-deps` is a way out.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
pip="v/bin/python -m pip --disable-pip-version-check"
$pip download -q --no-deps --only-binary :all: -d wheels \
  coverage==7.6.0 pytest-cov==6.0.0 pytest==8.3.0 iniconfig==2.0.0 packaging==24.1 pluggy==1.5.0 2>/dev/null
for wheel in wheels/*.whl; do
  $pip hash "$wheel" | awk -v file="$(basename "$wheel")" '/--hash/ { split(file, part, "-"); print part[1] "==" part[2] " " $0 }'
done >lock.txt
test "$(grep -c sha256 lock.txt)" = 6

outcome() { # of installing the lock with a pip
  $pip install -q "pip==$1" 2>/dev/null
  if $pip install -q --dry-run --ignore-installed --require-hashes -r lock.txt >said 2>&1; then
    echo installs
  elif grep -q "all requirements must have their versions pinned" said && grep -q 'coverage\[toml\]' said; then
    echo refuses
  else
    cat said
  fi
}

for release in 22.3 23.2.1 23.3.2; do
  found=$(outcome "$release")
  echo "pip $release: $found"
  case "$release $found" in
  "22.3 refuses" | "23.2.1 refuses" | "23.3.2 installs") ;;
  *) exit 1 ;;
  esac
done
