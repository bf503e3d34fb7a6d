#!/bin/sh
# jsonpath-rust-bindings 1.1.1: what a query finds has its keys in another order than the document.
#
# A guess: a query selects parts of a document; what it selects is as it was, as with any JSONPath library of Python,
# where dictionaries keep their order.
# Seen: the document is copied into a map sorted by key and back, so `{"z": 1, "y": 2}` is found as `{"y": 2, "z":
# 1}`, and `$.*` lists members by name. Who writes columns, a hash or a signature from what was found gets another
# one. python-jsonpath 2.2.2 and jsonpath-ng 1.16.0 keep the order.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q \
  "jsonpath-rust-bindings==1.1.1" "python-jsonpath==2.2.2" "jsonpath-ng==1.16.0" 2>/dev/null
v/bin/python - <<'PY'
import jsonpath
import jsonpath_ng
from jsonpath_rust_bindings import Finder

DOCUMENT = {"b": 1, "a": {"z": 1, "y": 2}}
(by_rust,) = [found.data for found in Finder(DOCUMENT).find("$.a")]
members = [found.path for found in Finder(DOCUMENT).find("$.*")]
(by_python,) = jsonpath.findall("$.a", DOCUMENT)
(by_ng,) = [found.value for found in jsonpath_ng.parse("$.a").find(DOCUMENT)]
print("in the document:", DOCUMENT["a"], " jsonpath-rust-bindings:", by_rust, members)
assert list(by_rust) == ["y", "z"]
assert members == ["$['a']", "$['b']"]
assert list(by_python) == list(by_ng) == ["z", "y"]
PY
