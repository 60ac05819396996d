"""Keeping the classes' ratio where only right rationales are kept: a teacher is right more often about one class."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..cohort.records import Case
from ..study.seeds import derive
from .records import Rationale, Refusal


def balanced_away(judged: Iterable[tuple[Case, Rationale | Refusal]], seed: int) -> frozenset[str]:
    """Ids of rationales to leave out so that in every split and style both classes keep the same share.

    Both classes are cut to the smaller of their two shares of right answers, so that a student sees the ratio of
    cases and controls that label-only training sees.

    Args:
        judged: every question with its case, in any order.
        seed: of the study; which ones are left out is drawn from it.
    """
    totals: Counter[tuple[str, str, int]] = Counter()
    right: dict[tuple[str, str, int], list[str]] = {}
    for case, answer in judged:
        if case.label is None:
            continue
        group = (case.split, answer.style, case.label)
        totals[group] += 1
        if isinstance(answer, Rationale):
            right.setdefault(group, []).append(answer.id)
    away: set[str] = set()
    for split, style in {(g[0], g[1]) for g in totals}:
        groups = [g for g in ((split, style, 0), (split, style, 1)) if totals[g]]
        share = min(len(right.get(g, [])) / totals[g] for g in groups)
        for g in groups:
            ids = sorted(right.get(g, []))
            extra = len(ids) - round(share * totals[g])
            rng = np.random.default_rng(derive(seed, "synth", "balance", *g))
            away |= set(rng.choice(ids, size=extra, replace=False)) if extra > 0 else set()
    return frozenset(map(str, away))
