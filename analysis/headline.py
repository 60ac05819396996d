"""The table that `wherefore run` and `wherefore demo` end with: what was found, in a dozen lines."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..study.records import from_frame, read_table
from .answer import number, span, words
from .records import Agreement, Average, Comparison


def headline(home: Path) -> str:
    """ROC-AUC of every target, read-out and baseline, then agreement per dimension, as text.

    Args:
        home: the run folder; its `analysis/` must be there.
    """
    folder = home / "analysis"
    lines = list(_models(from_frame(read_table(folder / "averages.parquet", Average), Average)))
    lines += _raters(from_frame(read_table(folder / "agreement.parquet", Agreement), Agreement))
    return "\n".join(lines)


def as_data(home: Path) -> dict[str, Any]:
    """The rows of the headline, with all comparisons of targets, for a script."""
    averages, comparisons, agreement = (
        from_frame(read_table(home / "analysis" / f"{name}.parquet", kind), kind)
        for name, kind in (("averages", Average), ("comparisons", Comparison), ("agreement", Agreement))
    )
    return {
        "averages": [a.model_dump() for a in averages],
        "comparisons": [
            c.model_dump() for c in comparisons if isinstance(c, Comparison) and c.unit == "target"
        ],
        "agreement": [a.model_dump() for a in agreement],
    }


def ranked(averages: list[Average], metric: str = "roc_auc") -> list[Average]:
    """The rows of the headline: the grid's targets in its order, then the baselines; as sampled."""
    rows = [a for a in averages if a.metric == metric and a.population == "sample"]
    return sorted(rows, key=lambda a: a.readout == "baseline")


def _models(averages: list[Average]) -> Iterator[str]:
    rows = ranked(averages)
    if not rows:
        yield "No predictions: the study ends with the verdicts."
        return
    n, ones = max(a.n for a in rows), max(a.n_positive for a in rows)
    yield f"ROC-AUC on {n} held-out cases, {ones} with the outcome (interval: 95 %, over persons)"
    yield f"  {'target':<22}{'read-out':<20}{'ROC-AUC':>8}  interval"
    for a in rows:
        part = f"{a.cells} of {a.expected} fits" if a.expected != 1 or a.cells != 1 else ""
        missing = f"{a.n_missing} missing" if a.n_missing else ""
        note = ", ".join(x for x in (part, missing, a.why_missing or "") if x)
        line = f"  {words(a.target):<22}{words(a.readout):<20}{number(a.value):>8}  {span(a.low, a.high):<18}{note}"
        yield line.rstrip()


def _raters(rows: list[Agreement]) -> Iterator[str]:
    if not rows:
        yield "No ratings: agreement is not measured."
        return
    who = "simulated raters" if any(r.simulated for r in rows) else "raters"
    yield f"Agreement of {max(r.n_raters for r in rows)} {who} (interval: 95 %, over items)"
    for r in rows:
        value = number(r.value) if r.value is not None else f"– ({r.why_missing})"
        yield f"  {words(r.dimension):<22}{words(r.statistic):<20}{value:>8}  {span(r.low, r.high)}".rstrip()
