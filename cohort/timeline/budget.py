"""Which lines stand in a timeline when the token budget is short."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..settings import Timeline
from .text import HEADINGS, note

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Count = Callable[[Sequence[str]], Ints]
"""Texts -> tokens of each."""
RECENT = 2.0
"""Years."""
LONG = 4
"""A line that takes more than this part of the budget (a quarter) waits until all others are in."""


def shown(
    frame: pd.DataFrame, case: Ints, settings: Timeline, count: Count, rarity: Floats, risk: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(lines,) which lines are within the budget: the best ones by the policy, until the first that does not fit.

    Args:
        frame: rows of `Evidence`.
        case: (lines,) ascending.
        settings: budget and policy; headings and the note of what is not shown are paid from the same budget.
        count: tokens of texts.
        rarity: (lines,) how rare the code is among people, the larger the rarer.
        risk: (lines,) whether the code is a known risk factor.
    """
    if settings.budget is None or frame.empty:
        return np.ones(len(frame), dtype=bool)
    tokens = count(frame["line"].tolist())
    tier, within = POLICIES[settings.policy](frame, rarity, risk)
    tier = np.where(frame["kind"] == "demographic", -1, tier)
    tier = np.where(tokens * LONG > settings.budget, LAST, tier)
    order = np.lexsort((within, tier, case))
    spent = np.cumsum(tokens[order])
    begin = np.searchsorted(case, case)  # `order` keeps each case's block where it was
    before = np.where(begin > 0, spent[begin - 1], 0)
    running = spent - before
    whole = running[np.searchsorted(case, case, side="right") - 1]
    headings = [f"{h}:" for h in HEADINGS if settings.sections]
    least = settings.budget - int(count(headings).sum())
    most = np.where(whole <= least, least, least - int(count([note(999)])[0]))
    out = np.zeros(len(frame), dtype=bool)
    out[order] = running <= most
    return out


LAST = 9.0
Ranks = tuple[Floats, Floats]
"""(lines,) tier and place within it; the smaller goes in first."""


def _recent(frame: pd.DataFrame, rarity: Floats, risk: NDArray[np.bool_]) -> Ranks:
    """Newest first."""
    return np.zeros(len(frame)), frame["years_before"].fillna(0).to_numpy(float)


def _rare(frame: pd.DataFrame, rarity: Floats, risk: NDArray[np.bool_]) -> Ranks:
    """What few people have first."""
    return np.zeros(len(frame)), -rarity


def _mixed(frame: pd.DataFrame, rarity: Floats, risk: NDArray[np.bool_]) -> Ranks:
    """Known risk factors, other conditions (the rare before the common), the last two years, the rest.

    Only the newest lines would lose the exposures that begin decades before dementia, only the rarest the present.
    """
    ago = frame["years_before"].fillna(0).to_numpy(float)
    condition = (frame["kind"] == "condition").to_numpy()
    tier = np.select([risk, condition, ago <= RECENT], [0.0, 1.0, 2.0], 3.0)
    return tier, np.where(tier == 2, ago, -rarity)


POLICIES: dict[str, Callable[[pd.DataFrame, Floats, NDArray[np.bool_]], Ranks]] = {
    "recent": _recent,
    "rare": _rare,
    "mixed": _mixed,
}
