"""Intervals drawn in table cells: a dot, a bar, and a rule where nothing would be. Small SVGs."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 196, 18, 6


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


def axis(values: Iterable[float | None], rule: float, step: float = 0.1) -> Axis:
    """A scale around all values and the rule, ending on whole steps.

    >>> axis([0.52, 0.71, None], rule=0.5).ticks
    (0.5, 0.6, 0.7, 0.8)
    """
    known = [v for v in values if v is not None] + [rule]
    first, last = int(min(known) / step // 1), int(-(-max(known) / step // 1))
    if min(known) < 0:
        first = -int(-(min(known) / step) // 1) - 1
    ticks = tuple(round(i * step, 6) for i in range(first, max(last, first + 1) + 1))
    return Axis(ticks[0], ticks[-1], rule, ticks)


def strip(scale: Axis, value: float | None, low: float | None, high: float | None, kind: str = "") -> Markup:
    """One interval; nothing but the rule where there is no value."""
    parts = [_line(scale.x(scale.rule), 0, scale.x(scale.rule), HEIGHT, "rule")]
    if low is not None and high is not None:
        parts.append(_line(scale.x(low), HEIGHT / 2, scale.x(high), HEIGHT / 2, "bar"))
    if value is not None:
        parts.append(f'<circle cx="{scale.x(value)}" cy="{HEIGHT / 2}" r="3.6"/>')
    return _svg(parts, kind, HEIGHT)


def ruler(scale: Axis) -> Markup:
    """The tick labels of a column of strips, at most six."""
    every = -(-len(scale.ticks) // 6)
    parts = [
        f'<text x="{scale.x(t)}" y="11">{f"{t:.1f}".replace("-", "−")}</text>' for t in scale.ticks[::every]
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
