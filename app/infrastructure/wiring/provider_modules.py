"""Code of users: modules beside the configuration file, found by their files, so that none takes another's place.

The folder never goes on the path, where its `redis.py` or `logging.py` would be taken for the real one. It becomes a
package under a name that nobody else has; its modules import each other relatively (`from .helpers import read`), and,
while they are loaded, absolutely under names that nothing else has.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class NoSuchModuleError(Exception):
    """It is neither beside the configuration nor installed."""


def load_attribute(named: str, folder: Path) -> Any:
    """Load `package.module:Name`: from `folder` when the module is there, else what is installed.

    Raises:
        NoSuchModuleError: there is no such module.
        Exception: whatever the module raises, or AttributeError when it has no such name.
    """
    module, _, name = named.partition(":")
    importlib.invalidate_caches()
    if _is_in(folder, module):
        with _siblings(folder):
            loaded = importlib.import_module(f"{_package_of(folder)}.{module}")
    else:
        loaded = _installed(module, folder)
    return getattr(loaded, name)


def _is_in(folder: Path, module: str) -> bool:
    path = folder.joinpath(*module.split("."))
    return path.with_name(f"{path.name}.py").is_file() or (path / "__init__.py").is_file()


def _package_of(folder: Path) -> str:
    name = f"marquee_beside_{blake2b(str(folder).encode(), digest_size=4).hexdigest()}"
    if name not in sys.modules:
        package = ModuleType(name, f"What stands in {folder}.")
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _installed(module: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            file = f"{module.replace('.', '/')}.py"
            raise NoSuchModuleError(f"there is no {file} in {folder}, and no {module} is installed") from None
        raise


@contextmanager
def _siblings(folder: Path) -> Iterator[None]:
    """Let modules of the folder be imported by names that nothing else has, as long as the block runs."""
    finder = _Siblings(folder)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Siblings:
    """The last to be asked for a module."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """See importlib.abc.MetaPathFinder."""
        found: ModuleSpec | None = None if path is not None else PathFinder.find_spec(name, [str(self._folder)], target)
        return found if found and found.origin else None  # a mere folder is no module
