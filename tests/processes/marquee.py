"""`marquee` for the shell of a test: `python marquee.py ADDRESS ...` has the loaded process there fork the command."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.processes.loaded import MAIN, START, LoadedPopen


def main() -> int:
    LoadedPopen.address = sys.argv[1] or None
    with LoadedPopen((*START, MAIN, *sys.argv[2:])) as process:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: process.send_signal(number))
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
