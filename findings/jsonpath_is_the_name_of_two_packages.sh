#!/bin/sh
# jsonpath-python 1.1.6 and python-jsonpath 2.2.2: two distributions, one module `jsonpath`, and pip sees no conflict.
#
# A guess: two packages of which each is asked for by another library can be installed side by side, or pip says why
# not.
# Seen: both write `jsonpath/__init__.py`. The last one that is installed wins, `pip check` is content, and whoever
# needs the other one finds a module without `findall`, or without `search`. Taking the winner away again leaves no
# module of that name for the other, which pip still lists.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
pip="v/bin/python -m pip --disable-pip-version-check"

has() { # which of the two the module is
  v/bin/python -c 'from jsonpath import findall' 2>/dev/null && echo python-jsonpath && return
  v/bin/python -c 'from jsonpath import search' 2>/dev/null && echo jsonpath-python && return
  echo nobody
}

$pip install -q --no-deps "jsonpath-python==1.1.6" 2>/dev/null
echo "with one: $(has)"
test "$(has)" = jsonpath-python
$pip install -q --no-deps "python-jsonpath==2.2.2" 2>/dev/null
$pip check >/dev/null
echo "with the other after it: $(has)"
test "$(has)" = python-jsonpath
$pip install -q --no-deps --force-reinstall "jsonpath-python==1.1.6" 2>/dev/null
$pip check >/dev/null
echo "with the first once more: $(has)"
test "$(has)" = jsonpath-python
$pip uninstall -q -y jsonpath-python 2>/dev/null
echo "without it again: $(has), and pip lists $($pip list 2>/dev/null | grep -c '^python-jsonpath') of the two"
test "$(has)" = nobody
test "$($pip list 2>/dev/null | grep -c '^python-jsonpath')" = 1
