"""Case-control sampling within each split, with the weights that undo it."""

import numpy as np
import pandas as pd

from ..study.seeds import derive
from .settings import Sampling


def sample(frame: pd.DataFrame, rule: Sampling | None, seed: int) -> pd.DataFrame:
    """Mark who stays and what each stands for.

    Args:
        frame: columns subject, split, label; everybody whose outcome is known.
        rule: None keeps everybody.
        seed: of the study.
    Returns:
        `frame` with `sampled` (bool) and `sampling_weight` (population over sampled, by split and label).
    """
    out = frame.assign(sampled=True, sampling_weight=1.0)
    if rule is None:
        return out
    for name, part in frame.groupby("split", sort=True):
        rng = np.random.default_rng(derive(seed, "cohort", "sample", name))
        for label, wanted in _wanted(part["label"], getattr(rule, str(name)), rule.case_share).items():
            pool = part.index[part["label"] == label]
            left = rng.choice(len(pool), len(pool) - wanted, replace=False)
            out.loc[pool[left], "sampled"] = False
            out.loc[pool, "sampling_weight"] = len(pool) / max(wanted, 1)
    return out


def _wanted(labels: "pd.Series[int]", total: int | None, case_share: float | None) -> dict[int, int]:
    """How many of each label: as many as asked for and as there are, the share of cases kept to."""
    cases, controls = int((labels == 1).sum()), int((labels == 0).sum())
    share = case_share if case_share is not None else cases / max(cases + controls, 1)
    most = min(cases / share if share else controls, controls / (1 - share) if share < 1 else cases)
    n = most if total is None else min(total, most)
    return {1: min(cases, round(n * share)), 0: min(controls, round(n * (1 - share)))}
