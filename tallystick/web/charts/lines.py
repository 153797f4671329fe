"""Lines over time. Across, everything is in per cent, so that the text keeps its size on any screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.web.charts.scales import ticks

HEIGHT, TOP, BASE = 224, 24, 180
"""Pixels: of the whole, and where the highest and the lowest value stand."""
APART = 18
"""Pixels that two labels need between them."""
MARKS = 5
"""Labels along the time axis at most."""


@dataclass(frozen=True, slots=True)
class Series:
    """`tone`: accent or grey. A value that is not there breaks the line."""

    label: str
    tone: str
    values: Sequence[Decimal | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the time axis. `group`, such as the year, is said below where it changes."""

    text: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    x: str
    y: str
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Curve:
    """`path` across 0 to 100, down in pixels; `dots` are its last value, and those without
    neighbours."""

    tone: str
    path: str
    dots: Sequence[tuple[str, str]]
    y: float
    label: Text


@dataclass(frozen=True, slots=True)
class LineChart:
    """All numbers are text already: a template would write them as the reader does."""

    height: str
    base: str
    curves: Sequence[Curve]
    levels: Sequence[Text]
    marks: Sequence[Text]


def lines(
    series: Sequence[Series], marks: Sequence[Mark], spell: Callable[[Decimal], str]
) -> LineChart | None:
    """A chart of `series`, whose values stand at `marks`; nothing where there is nothing to draw."""
    drawn = [each for each in series if any(value is not None for value in each.values)]
    if not drawn or not marks:
        return None
    highest = max(value for each in drawn for value in each.values if value is not None)
    levels = ticks(float(highest))
    plot = _Plot(len(marks), levels[-1])
    return LineChart(
        height=str(HEIGHT),
        base=str(BASE),
        curves=_apart([plot.curve(each) for each in drawn]),
        levels=[Text("0", _short(plot.y(level)), spell(_exact(level)), "end") for level in levels],
        marks=list(plot.marks(marks)),
    )


@dataclass(frozen=True, slots=True)
class _Plot:
    count: int
    top: float

    def x(self, place: int) -> float:
        return 100.0 * place / (self.count - 1) if self.count > 1 else 50.0

    def y(self, value: float) -> float:
        return BASE - (BASE - TOP) * value / self.top

    def curve(self, series: Series) -> Curve:
        last = max(place for place, value in enumerate(series.values) if value is not None)
        y = self.y(float(series.values[last] or 0))
        return Curve(
            series.tone,
            self._path(series.values),
            [self._at(series.values, place) for place in _alone(series.values, last)],
            y,
            Text("100%", _short(y + 4), series.label, "start"),
        )

    def _path(self, values: Sequence[Decimal | None]) -> str:
        steps, down = [], False
        for place, value in enumerate(values):
            if value is not None:
                point = f"{_short(self.x(place))} {_short(self.y(float(value)))}"
                steps.append(f"L{point}" if down else f"M{point}")
            down = value is not None
        return "".join(steps)

    def _at(self, values: Sequence[Decimal | None], place: int) -> tuple[str, str]:
        return _percent(self.x(place)), _short(self.y(float(values[place] or 0)))

    def marks(self, marks: Sequence[Mark]) -> Iterator[Text]:
        """The first and some after it, evenly."""
        every = max(1, -(-(self.count - 1) // (MARKS - 1)))
        group = ""
        for place in range(0, self.count, every):
            mark, x = marks[place], _percent(self.x(place))
            anchor = "start" if place == 0 and self.count > 1 else "middle"
            yield Text(x, str(BASE + 20), mark.text, anchor)
            if mark.group != group:
                group = mark.group
                yield Text(x, str(BASE + 36), group, anchor)


def _alone(values: Sequence[Decimal | None], last: int) -> Iterator[int]:
    """The places of values that no line leads to or from, and the last."""
    around = [None, *values, None]
    for place, value in enumerate(values):
        if value is not None and (place == last or around[place] is around[place + 2] is None):
            yield place


def _apart(curves: list[Curve]) -> list[Curve]:
    """Labels that would touch are moved apart, above the axis. Grey is drawn first."""
    placed: list[Curve] = []
    ceiling = BASE + 4.0
    for curve in sorted(curves, key=lambda curve: -curve.y):
        y = min(curve.y + 4, ceiling)
        ceiling = y - APART
        placed.append(replace(curve, label=replace(curve.label, y=_short(y))))
    return sorted(placed, key=lambda curve: curve.tone == "accent")


def _percent(value: float) -> str:
    return f"{_short(value)}%"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _exact(value: float) -> Decimal:
    return Decimal(str(value))
