"""Tune Python's garbage collector to what our processes do."""

import ctypes
import gc
import sys

YOUNG_OBJECTS = 100_000
"""Allocations between two collections of the young. A feed makes a million small tuples, none of them a cycle: with
Python's 700 a fifth of a sync's time goes into looking at them (`make bench-sync`)."""


def freeze_loaded_objects() -> None:
    """Take what is loaded now out of the collector's sight, and let it look less often at what comes."""
    gc.collect()
    gc.freeze()
    give_back()
    gc.set_threshold(YOUNG_OBJECTS, 50, 50)


def give_back() -> None:
    """Let the C library hand what it holds free to the system; glibc keeps it otherwise, all that a load took."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
