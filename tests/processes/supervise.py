"""A supervisor over one child for each KIND of DIARY KIND... (tests/processes/child.py), as a process of its own."""

import asyncio
import sys

from app.infrastructure.processes.child_processes import Child
from app.infrastructure.processes.supervisor import Supervisor


def main() -> int:
    diary, *kinds = sys.argv[1:]
    children = [Child(kind, [sys.executable, "-m", "tests.processes.child", diary, kind]) for kind in kinds]
    return asyncio.run(Supervisor(children, drain_seconds=5).run())


if __name__ == "__main__":
    sys.exit(main())
