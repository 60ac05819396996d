"""What the factors of a grid explain: shares of variance with interactions, configurations that were not seen, and
non-inferiority by a margin.

A table holds one training run a row: its factors, its seed, and a value such as ROC-AUC. A configuration is a
combination of the factors; the runs of one configuration differ in their seed alone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..study.errors import DataError
from .multiplicity import benjamini_hochberg, holm

if TYPE_CHECKING:
    import pandas as pd


def variance(runs: "pd.DataFrame", value: str, factors: Sequence[str]) -> "pd.DataFrame":
    """Analysis of variance with all interactions; training runs are the error.

    Args:
        runs: one a row; every configuration as often as any other.
        value: the column that is explained.
        factors: columns that are taken as categories.
    Returns:
        A row a term (`a`, `a:b`, ...) and one `training runs`: `df`, `sum_sq`, `f`, `p`, `p_holm` and `p_bh` over the
        terms, `share` of the sum of squares between configurations, and `omega_squared`, the share of all variance
        without what chance alone would give (Hays 1963).
    Raises:
        DataError: the runs are not balanced, or a configuration has one run only.
    """
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    _balanced(runs, factors)
    model = ols(f"Q('{value}') ~ " + " * ".join(f"C(Q('{f}'), Sum)" for f in factors), data=runs).fit()
    anova: pd.DataFrame = anova_lm(model, typ=2)
    error = anova.loc["Residual"]
    noise = error["sum_sq"] / error["df"]
    terms = anova.drop(index="Residual")
    plain = {f"C(Q('{f}'), Sum)": f for f in factors}
    terms.index = [":".join(plain[part] for part in name.split(":")) for name in terms.index]
    total = float(anova["sum_sq"].sum())
    table: pd.DataFrame = terms.rename(columns={"F": "f", "PR(>F)": "p"}).rename_axis("term").reset_index()
    table["p_holm"], table["p_bh"] = holm(list(table["p"])), benjamini_hochberg(list(table["p"]))
    table["share"] = table["sum_sq"] / table["sum_sq"].sum()
    table["omega_squared"] = (table["sum_sq"] - table["df"] * noise) / (total + noise)
    last = {"term": "training runs", "df": error["df"], "sum_sq": error["sum_sq"]}
    table = pd.concat([table, pd.DataFrame([last])], ignore_index=True)
    columns = ["term", "df", "sum_sq", "share", "omega_squared", "f", "p", "p_holm", "p_bh"]
    return table.loc[:, columns]


def _balanced(runs: "pd.DataFrame", factors: Sequence[str]) -> None:
    counts = runs.groupby(list(factors), observed=True).size()
    levels = [runs[f].nunique() for f in factors]
    if len(counts) < np.prod(levels) or counts.nunique() > 1 or counts.iloc[0] < 2:
        raise DataError(
            f"factors {', '.join(factors)}: {len(counts)} of {np.prod(levels)} configurations have runs, from "
            f"{counts.min()} to {counts.max()} each. Finish the grid: each needs as many as the others, at least two."
        )


def configurations(runs: "pd.DataFrame", value: str, factors: Sequence[str]) -> "pd.DataFrame":
    """Mean, standard deviation and number of the runs of each configuration; other columns as they stand first."""
    grouped = runs.groupby(list(factors), observed=True, sort=False)
    others = [c for c in runs.columns if c not in (*factors, value, "seed", "cell")]
    means = grouped[others].first() if others else grouped.size().to_frame("runs")
    means[value] = grouped[value].mean()
    means["sd"], means["runs"] = grouped[value].std(), grouped.size()
    return means.reset_index()


def explained(means: "pd.DataFrame", formula: str) -> float:
    """Share of the variance between configurations that a model of their means explains (R squared)."""
    from statsmodels.formula.api import ols

    return float(ols(formula, data=means).fit().rsquared)


def unseen(means: "pd.DataFrame", formula: str, hold: int, draws: int, seed: int) -> "pd.DataFrame":
    """How well a model of the configurations' means predicts configurations that it was fitted without.

    Args:
        means: of `configurations`.
        formula: of the model, in the language of patsy; its left side is the value.
        hold: configurations held out in a draw.
        draws: how often, at random.
        seed: of the draws.
    Returns:
        A row a draw and held-out configuration: `draw`, `row` (in `means`), `value`, `predicted`, `error`. A draw
        that leaves a coefficient without data is drawn again.
    """
    import pandas as pd
    from statsmodels.formula.api import ols

    model = ols(formula, data=means)
    y, x = model.endog, model.exog
    rng = np.random.default_rng(seed)
    out: list[pd.DataFrame] = []
    while len(out) < draws:
        held = np.sort(rng.choice(len(means), hold, replace=False))
        seen = np.setdiff1d(np.arange(len(means)), held)
        if np.linalg.matrix_rank(x[seen]) < x.shape[1]:
            continue
        weights = np.linalg.lstsq(x[seen], y[seen], rcond=None)[0]
        part = pd.DataFrame({"draw": len(out), "row": held, "value": y[held], "predicted": x[held] @ weights})
        out.append(part.assign(error=part["predicted"] - part["value"]))
    return pd.concat(out, ignore_index=True)


def non_inferior(compared: "pd.DataFrame", margin: float) -> "pd.DataFrame":
    """Whether each configuration is at most `margin` worse than the reference (one-sided, at 0.025).

    Args:
        compared: `difference`, `se` and `df` of a `Comparison` a row; one family.
        margin: of the metric, above 0; larger values of the metric are better.
    Returns:
        The rows with `low` (one-sided 97.5 % limit), `p` of being worse by the margin or more, `p_holm`, `p_bh`, and
        `non_inferior`, which holds where `p_holm` is below 0.025.
    """
    from scipy.stats import t

    out = compared.copy()
    out["low"] = out["difference"] - t.ppf(0.975, out["df"]) * out["se"]
    out["p"] = t.sf((out["difference"] + margin) / out["se"], out["df"])
    out["p_holm"], out["p_bh"] = holm(list(out["p"])), benjamini_hochberg(list(out["p"]))
    out["non_inferior"] = out["p_holm"] < 0.025
    return out
