"""What the teacher cites, and whether that evidence tells people apart: by its presence, or by a measurement's
value.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..synth.records import Rationale
from .measures.arrays import Labels
from .measures.discrimination import roc_auc, roc_auc_influence
from .measures.limits import Z
from .measures.odds import odds_ratio
from .measures.variance import SamplingDesign
from .records import Cited

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10
"""People with and without the outcome who need a value before values are compared."""


@dataclass(frozen=True)
class _Shown:
    """The evidence that the people of the training split were shown with."""

    code: Mapping[tuple[str, str], str]
    """Of each line, by case and evidence id."""
    name: Mapping[str, str]
    codes: Mapping[str, set[str]]
    """Of each case."""
    value: Mapping[str, Mapping[str, float]]
    """Latest value of each case, by code; for codes that are measured."""


def cited(rationales: Sequence[Rationale], evidence: "pd.DataFrame", cases: "pd.DataFrame") -> list[Cited]:
    """Every kind of evidence in the timelines of the training split, most cited first, for each style.

    Args:
        rationales: all; those of held-out people and of people without a label are left out.
        evidence: `Evidence` table.
        cases: `Case` table.
    """
    known = cases[(cases["split"] == "train") & cases["label"].notna()]
    label = dict(zip(known["id"], known["label"].astype(int), strict=True))
    shown = _shown(evidence[evidence["shown"] & evidence["case"].isin(label)])
    out: list[Cited] = []
    for style in dict.fromkeys(r.style for r in rationales):
        of_style = {r.case: r for r in rationales if r.style == style and r.case in label}
        out += _of_style(style, of_style, label, shown)
    return out


def _shown(evidence: "pd.DataFrame") -> _Shown:
    columns = zip(evidence["case"], evidence["id"], evidence["code"], strict=True)
    code = {(case, eid): c for case, eid, c in columns}
    codes: dict[str, set[str]] = {}
    for (case, _), c in code.items():
        codes.setdefault(case, set()).add(c)
    value: dict[str, dict[str, float]] = {}
    latest = evidence[evidence["value"].notna()].sort_values("years_before", ascending=False, kind="stable")
    for case, c, v in zip(latest["case"], latest["code"], latest["value"], strict=True):
        value.setdefault(c, {})[case] = float(v)
    return _Shown(code, dict(zip(evidence["code"], evidence["name"], strict=True)), codes, value)


def _of_style(
    style: str, rationales: Mapping[str, Rationale], label: Mapping[str, int], shown: _Shown
) -> list[Cited]:
    n = Counter(label[case] for case in rationales)
    if not (n[0] and n[1]):
        return []
    present: Counter[tuple[str, int]] = Counter()
    used: Counter[tuple[str, int]] = Counter()
    for case, rationale in rationales.items():
        ids = {eid for claim in rationale.claims for eid in claim.cites}
        present.update((code, label[case]) for code in shown.codes.get(case, ()))
        cites = {shown.code[case, e] for e in ids if (case, e) in shown.code}
        used.update((code, label[case]) for code in cites)
    rows = []
    for code in sorted({c for c, _ in present}):
        values = {c: v for c, v in shown.value.get(code, {}).items() if c in rationales}
        by_value = _by_value(values, label)
        ratio = by_value or odds_ratio(present[code, 1], n[1], present[code, 0], n[0])
        rows.append(
            Cited(
                style=style,
                code=code,
                name=shown.name[code],
                cases=n[1],
                controls=n[0],
                present_cases=present[code, 1],
                present_controls=present[code, 0],
                cited_cases=used[code, 1],
                cited_controls=used[code, 0],
                by="value" if by_value else "presence",
                odds_ratio=ratio[0],
                low=ratio[1],
                high=ratio[2],
            )
        )
    return sorted(rows, key=lambda r: (-r.cited_cases - r.cited_controls, r.code))


def _by_value(values: Mapping[str, float], label: Mapping[str, int]) -> tuple[float, float, float] | None:
    """The odds that a person with the outcome has the higher value, with limits; None where few have a value."""
    y = np.array([label[c] for c in values], dtype=np.int64)
    if min(int(y.sum()), int((1 - y).sum())) < FEWEST:
        return None
    return win_odds(y, list(values.values()))


def win_odds(y: Labels, values: Iterable[float]) -> tuple[float, float, float]:
    """Odds that someone with the outcome has a higher value than someone without, ties counting half (Agresti 1980).

    With limits on the scale of the logarithm. Half a win is added to both sides, so that it is never 0 or infinite.

    >>> odds, low, high = win_odds(np.array([1, 1, 0, 0]), [3.0, 2.0, 1.0, 2.0])    # wins 3.5 of 4: 4.0 / 1.0
    >>> odds
    4.0
    """
    x, one, every = np.array(list(values), dtype=float), np.ones(len(y)), np.ones(len(y), bool)
    pairs = int(y.sum()) * int((1 - y).sum())
    wins = float(roc_auc(y, x, one[None])[0]) * pairs
    odds = (wins + 0.5) / (pairs - wins + 0.5)
    share = odds / (1 + odds)
    vector = SamplingDesign.of(np.arange(len(y)), y, False).deviations(roc_auc_influence(y, x, one), every)
    half = Z * float(np.sqrt(vector @ vector)) / (share * (1 - share))
    return float(odds), float(odds * np.exp(-half)), float(odds * np.exp(half))
