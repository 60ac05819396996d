"""One figure of a set of ratings: coefficients with intervals, disagreement by item, severity of the raters."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...study.errors import DataError
from ...study.records import write_text
from ..figures import INK, MUTED, RULE, SERIES
from .methods import short
from .records import Summary

KINDS = (".svg", ".png", ".pdf")


class FigurePoint(NamedTuple):
    """One mark, as it stands in the CSV beside the picture."""

    panel: str
    dimension: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int


def points(s: Summary) -> list[FigurePoint]:
    """The data of the figure, with the count behind each mark."""
    return [*_coefficients(s), *_items(s), *_severity(s)]


def write(path: Path, s: Summary) -> None:
    """Draw into `path` (.svg, .png or .pdf) and write the data beside it as CSV.

    Raises:
        DataError: another kind of file.
    """
    if path.suffix not in KINDS:
        raise DataError(f"{path}: ends in {path.suffix or 'nothing'!r}. Allowed: {', '.join(KINDS)}.")
    data = points(s)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(FigurePoint._fields)
    out.writerows(data)
    write_text(path.with_suffix(".csv"), text.getvalue())
    _draw(path, data, s)


def _coefficients(s: Summary) -> Iterator[FigurePoint]:
    for d in s.dimensions:
        for row in d.agreement:
            yield FigurePoint(
                "coefficients",
                d.name,
                short(row.statistic, row.weights),
                row.value,
                row.low,
                row.high,
                row.n_items,
            )


def _items(s: Summary) -> Iterator[FigurePoint]:
    for d in s.dimensions:
        for rank, value in enumerate(d.disagreement, 1):
            yield FigurePoint("items", d.name, str(rank), value, None, None, d.n_items)


def _severity(s: Summary) -> Iterator[FigurePoint]:
    for d in s.dimensions:
        for r in d.raters:
            if r.effect is not None:
                yield FigurePoint("severity", d.name, r.rater, r.effect, r.effect_low, r.effect_high, r.n)


def _draw(path: Path, data: list[FigurePoint], s: Summary) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    colour = {d.name: SERIES[i % len(SERIES)] for i, d in enumerate(s.dimensions)}
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": "wherefore",
        "font.size": 9,
        "text.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": MUTED,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "axes.titlelocation": "left",
        "axes.titlesize": 10,
        "text.parse_math": False,
        "legend.frameon": False,
    }
    forest = [p for p in data if p.panel == "coefficients"]
    severity = [p for p in data if p.panel == "severity"]
    rows = max(len(forest), len(severity), 8)
    with mpl.rc_context(style):
        figure, axes = plt.subplots(
            1, 3, figsize=(13, 1.4 + 0.24 * rows), width_ratios=(1.5, 1, 1), layout="constrained"
        )
        _forest(axes[0], forest, colour, f"coefficient, with its {s.confidence:.0%} interval", True)
        _curve(axes[1], [p for p in data if p.panel == "items"], colour)
        _forest(axes[2], severity, colour, "steps above the mean rater", False)
        if not severity:
            axes[2].text(
                0.5,
                0.5,
                "no order on a nominal scale,\nor raters not connected",
                ha="center",
                color=MUTED,
                transform=axes[2].transAxes,
            )
        who = "simulated raters" if s.simulated else "raters"
        titles = (f"Agreement of the {who}", "Disagreement by item", "Severity, and ratings given")
        for ax, title in zip(axes, titles, strict=True):
            ax.set_title(title)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        plt.close(figure)


def _forest(ax: Any, rows: list[FigurePoint], colour: dict[str, str], label: str, shares: bool) -> None:
    """A line a row; at the right edge its value where these are `shares` up to 1, else its count."""
    for y, p in enumerate(rows):
        text = f"{p.value:.2f}" if shares and p.value is not None else "none" if shares else f"{p.n:,}"
        ax.text(1.01, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=MUTED)
        if p.value is None:
            continue
        if p.low is not None:
            ax.plot([p.low, p.high], [y, y], color=colour[p.dimension], linewidth=1.6, solid_capstyle="butt")
        ax.plot([p.value], [y], marker="o", markersize=4.5, color=colour[p.dimension], linestyle="none")
    ax.set_yticks(range(len(rows)), [f"{p.dimension}  {p.name}" for p in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.axvline(0, color=RULE, linewidth=0.8, zorder=0)
    if shares:
        ax.set_xlim(min([0.0, *(p.low for p in rows if p.low is not None)]) - 0.02, 1.02)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(label)


def _curve(ax: Any, rows: list[FigurePoint], colour: dict[str, str]) -> None:
    for d in dict.fromkeys(p.dimension for p in rows):
        y = [p.value for p in rows if p.dimension == d]
        ax.step(
            [k / len(y) for k in range(len(y) + 1)],
            [*y[:1], *y],
            linewidth=1.2,
            color=colour[d],
            label=f"{d} ({next(p.n for p in rows if p.dimension == d):,} items)",
        )
    ax.axhline(1, color=MUTED, linewidth=0.6, linestyle=(0, (2, 3)))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("share of items, most disputed first")
    ax.set_ylabel("disagreement (1: as by chance)")
    if rows:
        ax.legend(loc="best", fontsize=8)
