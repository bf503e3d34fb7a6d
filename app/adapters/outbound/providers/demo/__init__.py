"""The three consecutive responses of the demo provider: they come with the package, wherever it is installed."""

from pathlib import Path

RESPONSES = tuple(Path(__file__).with_name(f"response_{number}.xml") for number in (1, 2, 3))
