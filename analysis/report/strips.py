"""Intervals drawn in table cells: a dot, a bar, and a rule where nothing would be. Small SVGs."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 196, 18, 8
MOST_TICKS = 6


class Axis(NamedTuple):
    """The scale that a column of strips shares."""

    low: float
    high: float
    rule: float
    """Where "nothing" is: 0 for a difference, 0.5 for a ROC-AUC."""
    ticks: tuple[float, ...]

    def x(self, value: float) -> float:
        """Place of a value in the cell, kept inside it."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)


def axis(values: Iterable[float | None], rule: float, step: float | None = None) -> Axis:
    """A scale around all values and the rule, ending on whole steps.

    Args:
        values: what is drawn; None is left out.
        rule: where "nothing" is.
        step: between ticks; None: 1, 2 or 5 times a power of ten, so that there are four to eight.

    >>> axis([0.52, 0.71, None], rule=0.5).ticks
    (0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
    """
    known = [v for v in values if v is not None] + [rule]
    step = step or _step(max(known) - min(known))
    first = math.floor(round(min(known) / step, 9))
    last = math.ceil(round(max(known) / step, 9))
    ticks = tuple(round(i * step, 9) for i in range(first, max(last, first + 1) + 1))
    return Axis(ticks[0], ticks[-1], rule, ticks)


def _step(width: float) -> float:
    """A round step that divides a width into about five."""
    if width <= 0:
        return 0.1
    size = 10 ** math.floor(math.log10(width / 5))
    return float(next(size * k for k in (1, 2, 5, 10) if size * k >= width / 5 - 1e-12))


def heat(value: float | None, low: float, high: float) -> str:
    """The strength of a cell of a heat map, in per cent of its colour.

    >>> heat(0.7, 0.6, 0.8), heat(None, 0.6, 0.8)
    ('50', '0')
    """
    if value is None:
        return "0"
    return f"{100 * (value - low) / (high - low):.0f}" if high > low else "50"


def strip(scale: Axis, value: float | None, low: float | None, high: float | None, kind: str = "") -> Markup:
    """One interval; nothing but the rule where there is no value."""
    parts = [_line(scale.x(scale.rule), 0, scale.x(scale.rule), HEIGHT, "rule")]
    if low is not None and high is not None:
        parts.append(_line(scale.x(low), HEIGHT / 2, scale.x(high), HEIGHT / 2, "bar"))
    if value is not None:
        parts.append(f'<circle cx="{scale.x(value)}" cy="{HEIGHT / 2}" r="3.6"/>')
    return _svg(parts, kind, HEIGHT)


def ruler(scale: Axis) -> Markup:
    """The tick labels of a column of strips: as many as have room, with the digits that tell them apart."""
    step = scale.ticks[1] - scale.ticks[0]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    every = -(-len(scale.ticks) // MOST_TICKS)
    parts = [
        f'<text x="{scale.x(t)}" y="11">{f"{t:.{digits}f}".replace("-", "−")}</text>'
        for t in scale.ticks[::every]
    ]
    return _svg(parts, "ruler", 14)


def stack(shares: Sequence[tuple[str, float]]) -> Markup:
    """Shares of a whole, side by side; (name of the series class, share)."""
    parts, x = [], 0.0
    for name, share in shares:
        width = round(share * WIDTH, 1)
        parts.append(f'<rect class="{name}" x="{round(x, 1)}" y="3" width="{width}" height="{HEIGHT - 6}"/>')
        x += width
    return _svg(parts, "stack", HEIGHT)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _svg(parts: Sequence[str], kind: str, height: int) -> Markup:
    box = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return Markup(
        f'<svg class="strip {kind}" {box} aria-hidden="true">{"".join(parts)}</svg>'
    )  # numbers only
