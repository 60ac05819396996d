"""Drawing, and no arithmetic: rows of a `Curve` become an SVG that follows the reader's light or dark theme.

Text stays text (searchable, in the page's own font); colours are CSS variables with a fallback, so that the same
file looks right in the report and alone. Same rows, same bytes.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
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
    "svg.fonttype": "none", "svg.hashsalt": "wherefore", "text.parse_math": False, "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK, "axes.labelcolor": MUTED, "axes.edgecolor": MUTED, "axes.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 9.5, "axes.titlelocation": "left",
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 3, "ytick.major.size": 3,
    "legend.frameon": False, "legend.fontsize": 8.5, "figure.facecolor": "none", "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
}  # fmt: skip


def write(folder: Path, rows: Sequence[Curve]) -> dict[str, str]:
    """Write `<figure>.csv` and `<figure>.svg` for every figure in `rows`; return the SVGs by name."""
    out = {}
    for name in dict.fromkeys(r.figure for r in rows):
        mine = [r for r in rows if r.figure == name]
        _write_csv(folder / f"{name}.csv", mine)
        out[name] = svg(mine, FIGURES[name])
        write_text(folder / f"{name}.svg", out[name])
    return out


def _write_csv(path: Path, rows: Iterable[Curve]) -> None:
    text = io.StringIO()
    out = csv.DictWriter(text, list(Curve.model_fields), lineterminator="\n")
    out.writeheader()
    out.writerows(r.model_dump() for r in rows)
    write_text(path, text.getvalue())


def svg(rows: Sequence[Curve], draw: Callable[[Sequence[Curve]], Any]) -> str:
    """One figure as SVG text without prologue."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        figure = draw(rows)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    text = re.sub(r' id="[A-Za-z0-9]+_\d+"', "", text[text.index("<svg") :])  # several figures share a page
    for colour, name in _NAMES.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    return text.replace("'DejaVu Sans', ", "")


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


def calibration(rows: Sequence[Curve]) -> Any:
    """A panel a model: observed share against mean risk with Wilson's interval; area of a point is its count."""
    from matplotlib.figure import Figure

    panels = series_of(rows)
    columns = min(4, len(panels))
    tiers = -(-len(panels) // columns)
    top = min(1.0, 1.08 * max(max(r.high or 0, r.x) for r in rows))
    figure = Figure(figsize=(2.45 * columns + 0.3, 2.7 * tiers + 0.2))
    figure.set_layout_engine("constrained", h_pad=0.1)
    axes = figure.subplots(tiers, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    for ax, (name, points) in zip(axes, panels.items(), strict=False):
        colour = colours(rows)[name]
        ax.plot([0, top], [0, top], color=MUTED, lw=0.7, ls=(0, (3, 3)))
        for r in points:
            ax.plot([r.x, r.x], _bar(r), color=colour, lw=1, alpha=0.55)
        ax.plot([r.x for r in points], _ys(points), color=colour, lw=0.8, alpha=0.5)
        ax.scatter(
            [r.x for r in points], _ys(points), s=[max(8.0, r.n / 4) for r in points],
            color=colour, zorder=3, linewidths=0,
        )  # fmt: skip
        ax.set_title(words(name), color=INK)
        ax.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    figure.supylabel("observed share", fontsize=9, color=MUTED)
    figure.supxlabel("predicted risk", fontsize=9, color=MUTED)
    return figure


def lines(
    xlabel: str, ylabel: str, *, diagonal: bool = False, square: bool = True
) -> Callable[[Sequence[Curve]], Any]:
    """A drawing of one line a series, with a legend."""

    def draw(rows: Sequence[Curve]) -> Any:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.6, 5.0) if square else (6.4, 4.3))
        ax = figure.subplots()
        if diagonal:
            ax.plot([0, 1], [0, 1], color=MUTED, lw=0.7, ls=(0, (3, 3)))
        series = series_of(rows)
        for name, points in series.items():
            kind = points[0].kind
            ax.plot(
                [r.x for r in points], _ys(points), label=words(name), color=colours(rows)[name],
                lw=1.6 if kind == "model" else 1.0, ls=KINDS.get(kind, ("", "-"))[1],
            )  # fmt: skip
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
        if square:
            ax.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
        else:
            _trim(ax, rows)
        figure.legend(loc="outside lower left", ncols=2, handlelength=1.4, columnspacing=1.4)
        return figure

    return draw


def _trim(ax: Any, rows: Sequence[Curve]) -> None:
    """Net benefit below a little under zero is of no interest and would flatten the rest."""
    top = max(r.y for r in rows if r.y is not None)
    ax.set_ylim(-0.25 * top, 1.08 * top)
    ax.axhline(0, color=MUTED, lw=0.7)
    ax.set_xlim(0, max(r.x for r in rows))


def evidence(rows: Sequence[Curve]) -> Any:
    """Odds ratio of having the evidence (x, logarithmic) against how often it is cited where it stands (y)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6))
    ax = figure.subplots()
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
        xlabel="odds ratio, cases against controls",
        ylabel="cited where present",
    )
    return figure


def _apart(rows: Sequence[Curve], most: int = 8) -> list[Curve]:
    """The first rows whose names do not run into each other: one line of text apart, or half the width."""
    out: list[Curve] = []
    for r in rows:
        near = [o for o in out if abs((o.y or 0) - (r.y or 0)) < 0.05 and abs(math.log(o.x / r.x)) < 1.7]
        if not near and len(out) < most:
            out.append(r)
    return out


FIGURES: dict[str, Callable[[Sequence[Curve]], Any]] = {
    "calibration": calibration,
    "roc": lines("1 − specificity", "sensitivity", diagonal=True),
    "precision_recall": lines("recall", "precision"),
    "net_benefit": lines("risk threshold", "net benefit per person", square=False),
    "evidence": evidence,
}
"""Every figure by its name; the data file has the same name."""
