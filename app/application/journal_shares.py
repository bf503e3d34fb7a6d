"""How the providers are shared among those who write the journal: each share has one writer at a time."""

from collections.abc import Collection
from zlib import crc32

SHARES = 16
"""Never change it while workers of two versions may run side by side: their shares would overlap."""


def share_of(provider: str) -> int:
    """Say in which share a provider is: 0 to 15, the same in every process."""
    return crc32(provider.encode()) % SHARES


ALL_SHARES: Collection[int] = range(SHARES)


def fair_number(workers: int) -> int:
    """Say how many shares one of so many workers takes, so that all are taken and nobody has two more than another."""
    return -(-SHARES // max(workers, 1))
