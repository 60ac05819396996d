"""The table that `wherefore run` and `wherefore demo` end with: what was found, in a dozen lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...study import layout
from ...study.records import from_frame, read_table
from ..performance.formats import YARDSTICKS
from ..records import Agreement, Average, Comparison
from ..words import number, span, words


def headline(home: Path) -> str:
    """ROC-AUC of every target, read-out and baseline, then agreement per dimension, as text.

    Args:
        home: the run folder; its `analysis/` must be there.
    """
    folder = home / "analysis"
    lines = list(_models(from_frame(read_table(folder / layout.AVERAGES.name, Average), Average)))
    lines += _raters(from_frame(read_table(folder / layout.AGREEMENT.name, Agreement), Agreement))
    return "\n".join(lines)


def of_predictions(averages: Sequence[Average], comparisons: Sequence[Comparison]) -> list[str]:
    """ROC-AUC of models that were made elsewhere, and how far each is from the reference."""
    rows = ranked(averages)
    n, ones = max(a.n for a in rows), max(a.n_positive for a in rows)
    out = [f"ROC-AUC on {n} cases, {ones} with the outcome ({_intervals(rows)})"]
    cells = [(a.target, number(a.value), span(a.low, a.high), _note(a)) for a in rows]
    out += _columns([("model", "ROC-AUC", "interval", ""), *cells])
    compared = [c for c in comparisons if c.metric == "roc_auc"]
    if compared:
        out.append(f"Difference from {compared[0].b} (adjusted 95 % interval)")
        out += _columns(
            [
                (c.a, number(c.difference), span(c.low_adjusted, c.high_adjusted), c.why_missing or "")
                for c in compared
            ]
        )
    return out


def _note(a: Average) -> str:
    """What a row's number lacks."""
    runs = f"{a.cells} training runs" if a.cells > 1 else ""
    missing = f"{a.n_missing} missing" if a.n_missing else ""
    return ", ".join(x for x in (runs, missing, a.why_missing or "") if x)


def as_data(home: Path) -> dict[str, Any]:
    """The rows of the headline, with all comparisons of targets, for a script."""
    averages, comparisons, agreement = (
        from_frame(read_table(home / "analysis" / f"{name}.parquet", kind), kind)
        for name, kind in (("averages", Average), ("comparisons", Comparison), ("agreement", Agreement))
    )
    return {
        "averages": [a.model_dump() for a in averages],
        "comparisons": [
            c.model_dump()
            for c in comparisons
            if isinstance(c, Comparison) and c.unit in ("target", "yardstick")
        ],
        "agreement": [a.model_dump() for a in agreement],
    }


def ranked(averages: Sequence[Average], metric: str = "roc_auc") -> list[Average]:
    """The rows of the headline: the grid's targets in its order, then baselines and outside models.

    About the source population, or the sample where that is the population.
    """
    rows = [a for a in averages if a.metric == metric]
    populations = {a.population for a in rows}
    rows = [a for a in rows if a.population == ("source" if "source" in populations else "sample")]
    return sorted(rows, key=lambda a: a.readout in YARDSTICKS)


def _models(averages: list[Average]) -> Iterator[str]:
    rows = ranked(averages)
    if not rows:
        yield "No predictions: the study ends with the verdicts."
        return
    n, ones = max(a.n for a in rows), max(a.n_positive for a in rows)
    yield f"ROC-AUC on {n} held-out cases, {ones} with the outcome ({_intervals(rows)})"
    cells = [("target", "read-out", "ROC-AUC", "interval", "")]
    for a in rows:
        part = f"{a.cells} of {a.expected} fits" if a.expected != 1 or a.cells != 1 else ""
        missing = f"{a.n_missing} missing" if a.n_missing else ""
        note = ", ".join(x for x in (part, missing, a.why_missing or "") if x)
        cells.append((words(a.target), words(a.readout), number(a.value), span(a.low, a.high), note))
    yield from _columns(cells)


def _intervals(rows: Sequence[Average]) -> str:
    """What the intervals of the table include."""
    trained = {r.about for r in rows if r.readout not in YARDSTICKS}
    over = "persons and training runs" if trained == {"recipes"} else "persons only: about these fits"
    return f"95 % intervals over {over}"


def _raters(rows: list[Agreement]) -> Iterator[str]:
    main = [r for r in rows if r.statistic in MAIN]
    if not main:
        yield "No ratings: agreement is not measured."
        return
    who = "simulated raters" if any(r.simulated for r in main) else "raters"
    yield f"Agreement of {max(r.n_raters for r in main)} {who} (interval: 95 %)"
    yield from _columns(
        [
            (
                words(r.dimension),
                words(r.statistic),
                number(r.value),
                span(r.low, r.high),
                r.why_missing or "",
            )
            for r in main
        ]
    )


def _columns(cells: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Left-aligned columns two spaces apart, as wide as their widest cell."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        yield ("  " + "  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True))).rstrip()


MAIN = ("krippendorff_alpha", "percent_agreement")
"""The coefficients of the headline; every other is in the table and the report."""
