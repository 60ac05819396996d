"""Case-control sampling within each split, with the weights that undo it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.seeds import derive
from .settings import Match, Sampling

Floats = NDArray[np.float64]


def sample(frame: pd.DataFrame, rule: Sampling | None, seed: int) -> pd.DataFrame:
    """Mark who stays and what each stands for; the order of the rows makes no difference.

    Args:
        frame: columns subject, split, label, sex, day; everybody whose outcome is known.
        rule: None keeps everybody.
        seed: of the study.
    Returns:
        `frame` with `sampled` (bool) and `sampling_weight`: how many people of the population each stands for.
    """
    out = frame.assign(sampled=rule is None, sampling_weight=1.0)
    if rule is None:
        return out
    for name, part in out.sort_values(["subject", "day"]).groupby("split", sort=True):
        rng = np.random.default_rng(derive(seed, "cohort", "sample", name))
        total = getattr(rule, str(name))
        taken = (
            _matched(part, rule.match, total, rng)
            if rule.match
            else _drawn(part, rule.case_share, total, rng)
        )
        out.loc[taken.index, "sampled"] = True
        out.loc[taken.index, "sampling_weight"] = taken
    return out


def _drawn(
    part: pd.DataFrame, case_share: float | None, total: int | None, rng: np.random.Generator
) -> "pd.Series[float]":
    """Weights of those taken, cases and controls each at random."""
    wanted = _wanted(part["label"], total, case_share)
    taken = []
    for label, n in wanted.items():
        pool = part.index[part["label"] == label].to_numpy()
        drawn = rng.choice(pool, n, replace=False)
        taken.append(pd.Series(len(pool) / max(n, 1), index=drawn))
    return pd.concat(taken)


def _wanted(labels: "pd.Series[int]", total: int | None, case_share: float | None) -> dict[int, int]:
    """How many of each label: as many as asked for and as there are, the share of cases kept to."""
    cases, controls = int((labels == 1).sum()), int((labels == 0).sum())
    share = case_share if case_share is not None else cases / max(cases + controls, 1)
    most = min(cases / share if share else controls, controls / (1 - share) if share < 1 else cases)
    n = most if total is None else min(total, most)
    return {1: min(cases, round(n * share)), 0: min(controls, round(n * (1 - share)))}


def _matched(
    part: pd.DataFrame, match: Match, total: int | None, rng: np.random.Generator
) -> "pd.Series[float]":
    """Weights of cases and the controls drawn for them, `ratio` each of like age and sex, nobody twice.

    A control's weight is one over its chance to be drawn, 1 - prod(1 - drawn / still free) over the cases it
    could have been drawn for (after Samuelsen 1997). Whom no case could have drawn is represented by nobody.
    """
    cases = rng.permutation(part.index[part["label"] == 1].to_numpy())
    most = len(cases) if total is None else min(len(cases), total // (1 + match.ratio))
    chosen = cases[:most]
    group = part["sex"].fillna("").to_numpy(object) if match.sex else np.full(len(part), "", dtype=object)
    age = part["day"].to_numpy(float) / 365.25
    age = np.floor(age) if match.caliper == 0 else age
    place = pd.Series(np.arange(len(part)), index=part.index)
    control = part["label"].to_numpy() == 0
    free, missed, drawn = control.copy(), np.ones(len(part)), []
    for case in place[chosen]:
        near = control & (group == group[case]) & (np.abs(age - age[case]) <= match.caliper + 1e-9)
        pool = np.flatnonzero(near & free)
        picks = rng.choice(pool, min(match.ratio, len(pool)), replace=False)
        free[picks] = False
        drawn.append(picks)
        missed[near] *= 1 - len(picks) / max(len(pool), 1)
    controls = np.concatenate(drawn) if drawn else np.zeros(0, dtype=int)
    weights = pd.Series(1 / np.maximum(1 - missed[controls], 1e-9), index=part.index[controls])
    taken: pd.Series[float] = pd.concat([pd.Series(len(cases) / max(most, 1), index=chosen), weights])
    return taken
