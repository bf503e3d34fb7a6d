"""What the commands of the tour need of curl, which not every machine has: -X, -H, a URL."""

import argparse
import sys
from urllib.request import Request, urlopen

parser = argparse.ArgumentParser()
parser.add_argument("-X", default="GET")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("url")
given = parser.parse_args()
headers = dict(header.split(": ", 1) for header in given.H)
with urlopen(Request(given.url, method=given.X, headers=headers), timeout=10) as answer:
    sys.stdout.buffer.write(answer.read())
