"""Why a rationale may hurt: how diluted the label is, and whether what the teacher says is true.

The fourth piece, how much of the label the teacher's rationale gives away, is a paired comparison of read-outs and
stands with the others (`compare.by_readout`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np

from ..study.grid import Cell
from ..synth.records import Grounding, Rationale
from ..train.encoding.encoder import GROUPS
from ..train.fitting.losses import loss
from ..train.targets import TARGETS
from .cells import CellState
from .records import Dilution, Grounded

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
                cell=state.cell.id,
                target=state.cell.target,
                group=group,
                tokens=tokens,
                share=tokens / sum(counted.values()),
                weight=weights[group],
                final_loss=fit.final_loss.get(group) if fit else None,
            )


def _weights(cell: Cell, tokens: dict[str, int]) -> dict[str, float]:
    """What each loss group weighs in the loss of a cell; together one."""
    if not tokens:
        return {}
    groups = np.repeat([GROUPS[g] for g in tokens], list(tokens.values()))
    each = loss(TARGETS[cell.target].loss or cell.loss, cell.weight)(groups)
    return {g: float(each[groups == GROUPS[g]].sum(dtype=np.float64)) for g in tokens}


VERDICTS = ("supported", "fault", "undecided")
"""In the order of the table."""


def grounded(rationales: Iterable[Rationale], groundings: Iterable[Grounding]) -> list[Grounded]:
    """Claims by what the check found for each style: supported, then faults, then doubts, each by frequency."""
    style_of = {r.id: r.style for r in rationales}
    by_style: dict[str, Counter[Finding]] = {}
    facts: Counter[tuple[str, Finding]] = Counter()
    pages: Counter[str] = Counter()
    for g in groundings:
        style = style_of[g.rationale]
        pages[style] += 1
        for c in g.checks:
            finding: Finding = (c.verdict, c.fault or c.doubt)
            by_style.setdefault(style, Counter())[finding] += 1
            facts[style, finding] += c.facts
    return [
        Grounded(
            style=s,
            verdict=f[0],
            reason=f[1],
            claims=n,
            share=n / count.total(),
            facts=facts[s, f],
            rationales=pages[s],
        )
        for s, count in by_style.items()
        for f, n in sorted(count.items(), key=lambda x: (VERDICTS.index(x[0][0]), -x[1], str(x[0][1])))
    ]
