"""Drawing, and no arithmetic: rows of a `Curve` become an SVG that follows the reader's light or dark theme.

Text stays text (searchable, in the page's own font); colours are CSS variables with a fallback, so that the same
file looks right in the report and alone. Same rows, same bytes.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ..study.records import write_text
from .records import Curve
from .words import words

INK, MUTED, RULE = "#1c1c1a", "#6b6a65", "#d9d7cf"
SERIES = ("#0f6e8c", "#c2410c", "#5b7f2b", "#8a4a9e", "#a17c12", "#4b5563")
KINDS = {"yardstick": (INK, "-"), "optimum": (INK, ":"), "rule": (MUTED, "--")}
"""Colour and dash of what is no rival."""
_NAMES = {INK: "ink", MUTED: "muted", RULE: "rule"} | {c: f"s{i}" for i, c in enumerate(SERIES)}
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "wherefore",
    "text.parse_math": False,
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Figure:
    """A picture, and the data behind it."""

    title: str
    """What it shows, for who cannot see it."""
    draw: Callable[[Sequence[Curve], Mapping[str, str]], Any]
    """Rows of its data, and what stands beside the name of a series in the legend."""
    data: tuple[str, ...]
    """`Curve.figure` of its rows; each is a file of its own."""


Notes = Mapping[str, Mapping[str, str]]
"""What stands beside the names of series, by figure."""


def write(folder: Path, rows: Sequence[Curve], notes: Notes | None = None) -> dict[str, str]:
    """Write `<data>.csv` for every set of rows and `<figure>.svg` for every figure; return the SVGs by name."""
    for name in dict.fromkeys(r.figure for r in rows):
        _write_csv(folder / f"{name}.csv", [r for r in rows if r.figure == name])
    out = {}
    for name, figure in FIGURES.items():
        behind = [r for r in rows if r.figure in figure.data]
        if behind:
            out[name] = svg(name, behind, (notes or {}).get(name, {}))
            write_text(folder / f"{name}.svg", out[name])
    return out


def _write_csv(path: Path, rows: Iterable[Curve]) -> None:
    text = io.StringIO()
    out = csv.DictWriter(text, list(Curve.model_fields), lineterminator="\n")
    out.writeheader()
    out.writerows(r.model_dump() for r in rows)
    write_text(path, text.getvalue())


def svg(name: str, rows: Sequence[Curve], notes: Mapping[str, str]) -> str:
    """One figure as SVG text without prologue, its ids its own, so that several can share a page."""
    import matplotlib as mpl

    figure = FIGURES[name]
    with mpl.rc_context(_STYLE):
        drawing = figure.draw(rows, notes)
        out = io.StringIO()
        drawing.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    text = re.sub(
        r' id="[A-Za-z]+_\d+"', "", text[text.index("<svg") :]
    )  # names of groups that nothing refers to
    text = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for colour, ink in _NAMES.items():
        text = text.replace(colour, f"var(--{ink}, {colour})")
    label = (
        f'role="img" aria-labelledby="{name}-title"><title id="{name}-title">{escape(figure.title)}</title>'
    )
    return re.sub(r"<svg ([^>]*)>", rf"<svg \1 {label}", text, count=1).replace("'DejaVu Sans', ", "")


def _ys(points: Sequence[Curve]) -> list[float]:
    return [math.nan if r.y is None else r.y for r in points]


def _bar(r: Curve) -> list[float]:
    return [math.nan if v is None else v for v in (r.low, r.high)]


def colours(rows: Iterable[Curve]) -> dict[str, str]:
    """A colour a series, the same in every figure; what models are measured by is grey."""
    kind_of = {r.series: r.kind for r in rows}
    rivals = [s for s, kind in kind_of.items() if kind == "model"]
    grey = {s: KINDS[kind][0] for s, kind in kind_of.items() if kind != "model"}
    return grey | {s: SERIES[i % len(SERIES)] for i, s in enumerate(rivals)}


def series_of(rows: Sequence[Curve]) -> dict[str, list[Curve]]:
    """The rows of each series, in the order of first appearance."""
    return {s: [r for r in rows if r.series == s] for s in dict.fromkeys(r.series for r in rows)}


def calibration(rows: Sequence[Curve], notes: Mapping[str, str]) -> Any:
    """A panel a model: groups with their interval, area the count; a smooth curve with its band. Axes are its own."""
    from matplotlib.figure import Figure as Canvas
    from matplotlib.ticker import MaxNLocator

    panels = series_of(rows)
    columns = min(4, len(panels))
    tiers = -(-len(panels) // columns)
    canvas = Canvas(figsize=(2.6 * columns + 0.3, 2.75 * tiers + 0.2))
    axes = canvas.subplots(tiers, columns, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    for ax, (name, points) in zip(axes, panels.items(), strict=False):
        groups = [r for r in points if r.figure == "calibration"]
        curve = [r for r in points if r.figure == "calibration_curve"]
        colour, top = colours(rows)[name], _reach(groups)
        ax.plot([0, top], [0, top], color=MUTED, lw=0.7, ls=(0, (3, 3)))
        if curve:
            xs = [r.x for r in curve]
            ax.fill_between(
                xs, [r.low for r in curve], [r.high for r in curve], color=colour, alpha=0.13, lw=0
            )
            ax.plot(xs, _ys(curve), color=colour, lw=1.1)
        for r in groups:
            ax.plot([r.x, r.x], _bar(r), color=colour, lw=1, alpha=0.55)
        size = [max(8.0, r.n / 4) for r in groups]
        ax.scatter([r.x for r in groups], _ys(groups), s=size, color=colour, zorder=3, linewidths=0)
        ax.set_title(_folded(words(name), 30), color=INK)
        ax.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    canvas.supylabel("observed share", fontsize=9, color=MUTED)
    canvas.supxlabel("predicted risk", fontsize=9, color=MUTED)
    return canvas


def _reach(groups: Sequence[Curve]) -> float:
    """The end of both axes: every point, and of the bars as much as does not squeeze the points."""
    points = max(max(r.x, r.y or 0) for r in groups)
    bars = max(r.high or 0 for r in groups)
    return min(1.0, 1.08 * max(points, min(bars, 1.6 * points), 1e-3))


def _folded(text: str, width: int) -> str:
    """A title in lines that fit its panel."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def lines(
    xlabel: str, ylabel: str, *, diagonal: bool = False, square: bool = True, zero: bool = False
) -> Callable[[Sequence[Curve], Mapping[str, str]], Any]:
    """A drawing of one line a series, with bands where the rows have limits, and a legend."""

    def draw(rows: Sequence[Curve], notes: Mapping[str, str]) -> Any:
        from matplotlib.figure import Figure as Canvas

        series = series_of(rows)
        canvas = Canvas(
            figsize=(5.0, 4.6 + 0.19 * len(series)) if square else (6.8, 3.9 + 0.19 * len(series))
        )
        ax = canvas.subplots()
        if diagonal:
            ax.plot([0, 1], [0, 1], color=MUTED, lw=0.7, ls=(0, (3, 3)))
        for name, points in series.items():
            colour, kind, xs = colours(rows)[name], points[0].kind, [r.x for r in points]
            label = f"{words(name)}{': ' + notes[name] if name in notes else ''}"
            ax.plot(
                xs,
                _ys(points),
                label=label,
                color=colour,
                lw=1.6 if kind == "model" else 1.0,
                ls=KINDS.get(kind, ("", "-"))[1],
            )
            if kind == "model" and any(r.low is not None for r in points):
                low, high = zip(*map(_bar, points), strict=True)
                ax.fill_between(xs, low, high, color=colour, alpha=0.08, lw=0)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
        if square:
            ax.set(xlim=(0, 1), ylim=(0, _ceiling(rows)))
            ax.set_box_aspect(1)
        else:
            _trim(ax, rows, zero=zero)
        canvas.legend(loc="outside lower left", ncols=1, handlelength=1.4, labelspacing=0.3)
        return canvas

    return draw


def _ceiling(rows: Sequence[Curve]) -> float:
    """1 for curves that reach it; for precision at a low prevalence, what its curves reach past the first people."""
    if rows[0].figure != "precision_recall":
        return 1.005
    steady = [r.y for r in rows if r.y is not None and r.n >= 10]
    return min(1.005, 1.15 * max(steady, default=1.0))


def _trim(ax: Any, rows: Sequence[Curve], *, zero: bool) -> None:
    """What lies far below zero is of no interest and would flatten the rest."""
    top = max(r.y for r in rows if r.y is not None)
    bottom = min(r.y for r in rows if r.y is not None)
    ax.set_ylim(max(bottom, -0.25 * top) if zero else max(bottom, -top), 1.08 * top)
    ax.axhline(0, color=MUTED, lw=0.7)
    ax.set_xlim(0, max(r.x for r in rows))


def evidence(rows: Sequence[Curve], notes: Mapping[str, str]) -> Any:
    """Odds ratio of having the evidence (x, logarithmic) against how often it is cited where it stands (y)."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(6.4, 3.6))
    ax = canvas.subplots()
    ax.axvline(1, color=MUTED, lw=0.7, ls=(0, (3, 3)))
    for r in rows:
        ax.plot(_bar(r), _ys([r, r]), color=SERIES[0], lw=0.8, alpha=0.35)
    size = [max(6.0, r.n / 3) for r in rows]
    ax.scatter([r.x for r in rows], _ys(rows), s=size, color=SERIES[0], alpha=0.75, linewidths=0)
    for r in _apart(sorted(rows, key=lambda r: -r.n)):
        name = r.series if len(r.series) <= 40 else r.series[:38] + "…"
        ax.annotate(name, (r.x, r.y or 0), xytext=(5, 4), textcoords="offset points", fontsize=8, color=INK)
    ax.set_xscale("log")
    ax.set_xticks([0.25, 0.5, 1, 2, 4], labels=["1/4", "1/2", "1", "2", "4"])
    ax.minorticks_off()
    ax.set(
        xlim=(0.2, 6),
        ylim=(0, 1.02),
        xlabel="odds ratio, people with against people without the outcome",
        ylabel="cited where present",
    )
    return canvas


def _apart(rows: Sequence[Curve], most: int = 8) -> list[Curve]:
    """The first rows whose names do not run into each other: one line of text apart, or half the width."""
    out: list[Curve] = []
    for r in rows:
        near = [o for o in out if abs((o.y or 0) - (r.y or 0)) < 0.05 and abs(math.log(o.x / r.x)) < 1.7]
        if not near and len(out) < most:
            out.append(r)
    return out


FIGURES: dict[str, Figure] = {
    "calibration": Figure(
        "Calibration: observed share against predicted risk, a panel a model",
        calibration,
        ("calibration", "calibration_curve"),
    ),
    "roc": Figure(
        "ROC curves: sensitivity against one minus specificity",
        lines("1 − specificity", "sensitivity", diagonal=True),
        ("roc",),
    ),
    "precision_recall": Figure(
        "Precision against recall", lines("recall", "precision"), ("precision_recall",)
    ),
    "net_benefit": Figure(
        "Decision curves: net benefit against the risk threshold",
        lines("risk threshold", "net benefit per person", square=False, zero=True),
        ("net_benefit",),
    ),
    "interventions_avoided": Figure(
        "Interventions avoided per 100 people against the risk threshold",
        lines("risk threshold", "interventions avoided per 100", square=False),
        ("interventions_avoided",),
    ),
    "evidence": Figure(
        "Cited evidence: how often it is cited against how well it tells people apart",
        evidence,
        ("evidence",),
    ),
}
"""Every figure by its name; the picture has the same name, the data the names that the entry gives."""
