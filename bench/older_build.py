"""An older commit with an environment of its own, made from its own lock, to take turns with."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


@contextmanager
def older_build(commit: str, directory: Path) -> Iterator[Path]:
    """Check a commit out into a worktree below `directory` and install it there; hand out its folder.

    Raises:
        subprocess.CalledProcessError: git does not know the commit, or its lock cannot be installed.
    """
    folder = directory / f"build-{commit}"
    _run("git", "-C", REPOSITORY, "worktree", "add", "--quiet", "--detach", folder, commit)
    try:
        _run(sys.executable, "-m", "venv", folder / ".venv")
        pip = (
            folder / ".venv/bin/python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
            "--no-deps",
        )
        _run(*pip, "--require-hashes", "-r", folder / "requirements.lock")
        _run(*pip, "--no-build-isolation", "-e", folder)
        yield folder
    finally:
        _run("git", "-C", REPOSITORY, "worktree", "remove", "--force", folder)


@contextmanager
def build_before(name: str, directory: Path) -> Iterator[Path]:
    """Hand out the folder of an older build: `name` is one that has its .venv, or a commit of which one is made.

    Raises:
        subprocess.CalledProcessError: as in `older_build`.
    """
    if Path(name).is_dir():
        yield Path(name).resolve()
    else:
        with older_build(name, directory) as folder:
            yield folder


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)
