"""The example of doc/providers/own-kind.md, as a reader would copy it: it keeps the contract of every kind."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.service import REPOSITORY

PAGE = (REPOSITORY / "doc" / "providers" / "own-kind.md").read_text(encoding="utf-8")
MODULE, TESTS = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)


def test_the_documented_kind_passes_its_documented_tests(tmp_path: Path) -> None:
    (tmp_path / "acme_json.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "test_acme_json.py").write_text(TESTS, encoding="utf-8")

    pytest = (sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "test_acme_json.py")
    done = subprocess.run(pytest, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert "19 passed" in done.stdout
