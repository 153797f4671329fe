"""Charts, drawn as SVG on the server: thin axes, labels on the things themselves, one accent."""

from __future__ import annotations

from tallystick.web.charts.bars import Bar, bars
from tallystick.web.charts.lines import LineChart, Mark, Series, lines

__all__ = ["Bar", "LineChart", "Mark", "Series", "bars", "lines"]
