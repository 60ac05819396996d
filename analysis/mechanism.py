"""Why a rationale may hurt: how diluted the label is, what the teacher cites, and whether it is true.

The fourth piece, how much of the label the teacher's rationale gives away, is a paired comparison of read-outs and
stands with the others (`compare.by_readout`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..study.grid import Cell
from ..synth.records import Grounding, Rationale
from ..train.encoding.encoder import GROUPS
from ..train.fitting.losses import loss
from ..train.targets import TARGETS
from .cells import CellState
from .performance.odds import odds_ratio
from .records import Cited, Dilution, Grounded

if TYPE_CHECKING:
    import pandas as pd


Finding = tuple[Literal["supported", "fault", "undecided"], str | None]
"""Verdict and reason of a check."""


def dilution(cells: Iterable[CellState]) -> Iterator[Dilution]:
    """Tokens that count, by loss group, for every finished fit."""
    for state in cells:
        fit = state.fit() if state.state == "done" else None
        counted = {g: n for g, n in fit.tokens.items() if g != "prompt" and n} if fit else {}
        weights = _weights(state.cell, counted)
        for group, tokens in counted.items():
            yield Dilution(
                cell=state.cell.id, target=state.cell.target, group=group, tokens=tokens,
                share=tokens / sum(counted.values()), weight=weights[group],
                final_loss=fit.final_loss.get(group) if fit else None,
            )  # fmt: skip


def _weights(cell: Cell, tokens: dict[str, int]) -> dict[str, float]:
    """What each loss group weighs in the loss of a cell; together one."""
    if not tokens:
        return {}
    groups = np.repeat([GROUPS[g] for g in tokens], list(tokens.values()))
    each = loss(TARGETS[cell.target].loss or cell.loss, cell.weight)(groups)
    return {g: float(each[groups == GROUPS[g]].sum(dtype=np.float64)) for g in tokens}


def cited(rationales: Sequence[Rationale], evidence: "pd.DataFrame", cases: "pd.DataFrame") -> list[Cited]:
    """Every kind of evidence in the timelines of the training split, most cited first, for each style.

    Args:
        rationales: all; those of held-out people and of people without a label are left out.
        evidence: `Evidence` table.
        cases: `Case` table.
    """
    known = cases[(cases["split"] == "train") & cases["label"].notna()]
    label = dict(zip(known["id"], known["label"].astype(int), strict=True))
    shown = evidence[evidence["shown"] & evidence["case"].isin(label)]
    code_of = {
        (case, eid): code for case, eid, code in zip(shown["case"], shown["id"], shown["code"], strict=True)
    }
    name_of = dict(zip(shown["code"], shown["name"], strict=True))
    codes_of: dict[str, set[str]] = {}
    for (case, _), code in code_of.items():
        codes_of.setdefault(case, set()).add(code)
    out: list[Cited] = []
    for style in dict.fromkeys(r.style for r in rationales):
        mine = {r.case: r for r in rationales if r.style == style and r.case in label}
        n = Counter(label[case] for case in mine)
        if not (n[0] and n[1]):
            continue
        present: Counter[tuple[str, int]] = Counter()
        used: Counter[tuple[str, int]] = Counter()
        for case, rationale in mine.items():
            ids = {eid for claim in rationale.claims for eid in claim.cites}
            present.update((code, label[case]) for code in codes_of.get(case, ()))
            used.update(
                (code, label[case]) for code in {code_of[case, e] for e in ids if (case, e) in code_of}
            )
        rows = [_cited(style, code, name_of[code], n, present, used) for code in {c for c, _ in present}]
        out += sorted(rows, key=lambda r: (-r.cited_cases - r.cited_controls, r.code))
    return out


def _cited(
    style: str, code: str, name: str, n: Counter[int], present: Counter[tuple[str, int]],
    used: Counter[tuple[str, int]],
) -> Cited:  # fmt: skip
    ratio, low, high = odds_ratio(present[code, 1], n[1], present[code, 0], n[0])
    return Cited(
        style=style, code=code, name=name, cases=n[1], controls=n[0],
        present_cases=present[code, 1], present_controls=present[code, 0],
        cited_cases=used[code, 1], cited_controls=used[code, 0], odds_ratio=ratio, low=low, high=high,
    )  # fmt: skip


VERDICTS = ("supported", "fault", "undecided")
"""In the order of the table."""


def grounded(rationales: Iterable[Rationale], groundings: Iterable[Grounding]) -> list[Grounded]:
    """Claims by what the check found for each style: supported, then faults, then doubts, each by frequency."""
    style_of = {r.id: r.style for r in rationales}
    found: dict[str, Counter[Finding]] = {}
    facts: Counter[tuple[str, Finding]] = Counter()
    pages: Counter[str] = Counter()
    for g in groundings:
        style = style_of[g.rationale]
        pages[style] += 1
        for c in g.checks:
            finding: Finding = (c.verdict, c.fault or c.doubt)
            found.setdefault(style, Counter())[finding] += 1
            facts[style, finding] += c.facts
    return [
        Grounded(
            style=s, verdict=f[0], reason=f[1], claims=n, share=n / count.total(), facts=facts[s, f],
            rationales=pages[s],
        )
        for s, count in found.items()
        for f, n in sorted(count.items(), key=lambda x: (VERDICTS.index(x[0][0]), -x[1], str(x[0][1])))
    ]  # fmt: skip
