"""The real clock."""

from app.adapters.system_clock import SystemClock

__all__ = ["SystemClock"]
