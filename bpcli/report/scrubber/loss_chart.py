"""The loss at each frame as a curve, on which a point runs down."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Vector
from bpcli.report.html import Html, tag
from bpcli.report.scrubber.recording import Recording
from bpcli.report.words import Words

WIDTH, HEIGHT = 500.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 14.0, 12.0, 42.0


@dataclass(frozen=True)
class Series:
    """A line: its name, a class of the style sheet, and its values (F,)."""

    name: str
    style: str
    values: Vector


@dataclass(frozen=True, eq=False)
class LossChart:
    """The scales of a chart of losses over epochs: logarithmic if they span much."""

    epochs: Vector
    low: float
    high: float
    is_log: bool
    width: float = WIDTH
    height: float = HEIGHT

    def x(self, epoch: float) -> float:
        span = max(float(self.epochs[-1]), 1.0)
        return _LEFT + (self.width - _LEFT - _RIGHT) * float(epoch) / span

    def y(self, value: float) -> float:
        clipped = min(max(value, self.low), self.high)
        low, high, at = (self._scaled(number) for number in (self.low, self.high, clipped))
        return _TOP + (self.height - _TOP - _BOTTOM) * (1 - (at - low) / (high - low))

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def drawn(self, series: Sequence[Series], label: str, axis: str, *extra: Html) -> Html:
        """The chart with its axes and lines."""
        return tag(
            "svg",
            tag("g", self._grid(), class_="grid"),
            tag("g", self._labels(axis), class_="ticks"),
            [self._line(each) for each in series],
            extra,
            viewBox=f"0 0 {self.width:g} {self.height:g}", role="img", aria_label=label,
            class_="loss-chart",
        )  # fmt: skip

    def _line(self, series: Series) -> Html:
        points = [
            f"{self.x(epoch):.1f},{self.y(value):.1f}"
            for epoch, value in zip(self.epochs.tolist(), series.values.tolist(), strict=False)
            if math.isfinite(value)
        ]
        return tag("polyline", points=" ".join(points), class_=f"line {series.style}")

    def _grid(self) -> Iterator[Html]:
        for value in self.ticks():
            y = f"{self.y(value):.1f}"
            yield tag("line", x1=_LEFT, x2=self.width - _RIGHT, y1=y, y2=y)

    def _labels(self, axis: str) -> Iterator[Html]:
        for value in self.ticks():
            y = f"{self.y(value) + 3.5:.1f}"
            yield tag("text", f"{value:g}", x=_LEFT - 8, y=y, text_anchor="end")
        base = self.height - _BOTTOM
        for epoch in steps(0, float(self.epochs[-1]), 6):
            x = f"{self.x(epoch):.1f}"
            yield tag("line", x1=x, x2=x, y1=base, y2=base + 4)
            yield tag("text", f"{epoch:g}", x=x, y=base + 16, text_anchor="middle")
        middle = (_LEFT + self.width - _RIGHT) / 2
        yield tag("text", axis, x=middle, y=self.height - 4, text_anchor="middle", class_="axis")

    def ticks(self) -> list[float]:
        """Round values of the vertical axis."""
        if not self.is_log:
            return steps(self.low, self.high, 4)
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        every = max(1, -(-(last - first + 1) // 5))
        powers = [10.0**power for power in range(first, last + 1, every)]
        return powers if len(powers) > 1 else _few(self.low, self.high)


def _few(low: float, high: float) -> list[float]:
    """1, 2 or 5 times a power of ten, for a range of about a decade."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [n * 10.0**k for k in powers for n in (1, 2, 5) if low <= n * 10.0**k <= high]


def steps(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`, about `most`."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, math.floor(high / step + 1e-9) + 1)]


def chart_of(
    epochs: Vector, values: Sequence[Vector], width: float = WIDTH, height: float = HEIGHT
) -> LossChart:
    """A chart that fits all values; infinite ones are outside."""
    every = np.concatenate([np.ravel(each) for each in values])
    every = every[np.isfinite(every)]
    low, high = float(every.min()), float(every.max())
    is_log = low > 0 and high / low > _MANY_TIMES
    if is_log:
        return LossChart(epochs, low / 1.15, high * 1.15, True, width, height)
    margin = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    bottom = 0.0 if 0 <= low < 0.4 * high else low - margin
    return LossChart(epochs, bottom, high + margin, False, width, height)


_MANY_TIMES = 12.0


def loss_chart(recording: Recording, words: Words) -> tuple[LossChart, Html]:
    """The chart of a recording, with the point that the script moves."""
    series = [Series(words("scrubber.loss.train"), "first", recording.losses)]
    if recording.val_losses is not None:
        series.append(Series(words("scrubber.loss.val"), "second", recording.val_losses))
    chart = chart_of(recording.epochs, [each.values for each in series])
    end = len(recording) - 1
    x, y = chart.x(recording.epochs[end]), chart.y(float(recording.losses[end]))
    run = [
        tag("line", x1=x, x2=x, y1=_TOP, y2=HEIGHT - _BOTTOM, class_="now"),
        tag("circle", cx=x, cy=y, r=5, class_="point first"),
    ]
    if recording.val_losses is not None:
        run.append(
            tag("circle", cx=x, cy=chart.y(float(recording.val_losses[end])), r=4,
                class_="point second")
        )  # fmt: skip
    drawing = chart.drawn(series, words("scrubber.loss.label"), words("scrubber.axis.epoch"), *run)
    return chart, drawing
