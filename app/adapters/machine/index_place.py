"""Where the index file lies; known to those, too, who do without the code that reads it."""

from pathlib import Path

PLACE = Path("index", "catalog.index")
"""In the data directory."""
