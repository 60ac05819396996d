"""Intraclass correlations with missing ratings: items and raters as crossed random effects, fitted by statsmodels."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from ....study.errors import DataError, MissingPartError
from ...records import Agreement
from ..coefficients.table import Floats, RatingTable
from ..distributions import norm

MOST = 1_500
"""Items and raters together; the fit takes time with the cube of their number."""


class Components(NamedTuple):
    """Variances, in squares of the scale's numbers, and how surely they are known relative to the error's."""

    item: float
    rater: float
    error: float
    covariance: Floats
    """(2, 2) of item and rater variance over the error's; NaN where the fit does not tell."""
    raters_per_item: float
    """Harmonic mean."""


def icc_rows(ratings: RatingTable, confidence: float = 0.95, dimension: str = "") -> list[Agreement]:
    """ICC(A,1), ICC(C,1) and those of the mean of the raters, by restricted maximum likelihood (REML).

    Equal to the mean squares of McGraw & Wong (1996) where every rating is given and no variance comes out below 0.
    Limits by the delta method on Fisher's scale of an intraclass correlation; with few raters they say little of
    the rater variance.

    Args:
        ratings: the table, not nominal; words of an ordinal scale count as 1, 2, ...
        confidence: of the intervals.
        dimension: for the rows.
    Raises:
        DataError: a nominal scale, a table too large, a fit that does not converge.
        MissingPartError: statsmodels is not installed.
    """
    c = components(ratings)
    k = c.raters_per_item
    items, errors = c.item, c.error
    forms = {
        "icc_a1": (items / (items + c.rater + errors), 1.0, True),
        "icc_c1": (items / (items + errors), 1.0, False),
        "icc_ak": (items / (items + (c.rater + errors) / k), k, True),
        "icc_ck": (items / (items + errors / k), k, False),
    }
    few = "; fewer than 5 raters say little of the rater variance"
    out = []
    for name, (value, mean_of, absolute) in forms.items():
        low, high, why = _limits(c, value, mean_of, absolute, confidence)
        method = f"{confidence:.0%} delta method on Fisher's z of the REML variances (statsmodels)"
        n_raters = int((ratings.codes >= 0).any(0).sum())
        out.append(
            Agreement(
                dimension=dimension,
                statistic=f"{name} (mixed model)",
                value=float(value),
                low=low,
                high=high,
                n_items=len(ratings.units),
                n_raters=n_raters,
                n_ratings=int(ratings.seen.sum()),
                why_missing=why,
                method="" if low is None else method + (few if absolute and n_raters < 5 else ""),
                note="clusters are not in the model" if ratings.clusters else "",
            )
        )
    return out


def components(ratings: RatingTable) -> Components:
    """Variances of items, raters and error.

    Raises:
        DataError, MissingPartError: as `icc_rows`.
    """
    if ratings.scale.level == "nominal":
        raise DataError(
            "mixed model: the scale is nominal; it needs numbers. For two categories: --model glmm."
        )
    u, g = np.nonzero(ratings.codes >= 0)
    if len(np.unique(u)) + len(np.unique(g)) > MOST:
        raise DataError(
            f"mixed model: {len(np.unique(u)):,} items and {len(np.unique(g)):,} raters, more than {MOST:,}."
        )
    x = ratings.scale.values[ratings.codes[u, g]]
    if all(len(set(row[row >= 0])) < 2 for row in ratings.codes):
        raise DataError("mixed model: the raters never differ, so there is no error to estimate.")
    scale = float(x.std()) or 1.0
    frame = pd.DataFrame({"y": (x - x.mean()) / scale, "item": u, "rater": g, "all": 1})
    fit = _fit(frame)
    names = list(fit.model.exog_vc.names)
    at = [names.index("item"), names.index("rater")]
    relative = np.asarray(fit.vcomp)[at] / fit.scale
    covariance = np.asarray(fit.cov_params())[-len(names) :, -len(names) :][np.ix_(at, at)]
    item, rater = (float(v) * fit.scale * scale**2 for v in relative)
    counts = ratings.seen[ratings.seen > 0]
    return Components(
        item, rater, float(fit.scale) * scale**2, covariance, float(len(counts) / (1 / counts).sum())
    )


def _fit(frame: pd.DataFrame):  # type: ignore[no-untyped-def]
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
        from statsmodels.tools.sm_exceptions import ConvergenceWarning
    except ImportError as e:
        raise MissingPartError("statsmodels: not installed. pip install 'wherefore-lab[agreement]'.") from e
    model = MixedLM.from_formula(
        "y ~ 1", groups="all", vc_formula={"item": "0 + C(item)", "rater": "0 + C(rater)"}, data=frame
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a variance of 0 lies on the boundary
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        fit = model.fit(reml=True)
    if not np.isfinite(fit.scale) or not np.isfinite(np.asarray(fit.vcomp)).all():
        raise DataError(
            "mixed model: the fit did not converge; the ratings tell too little of its variances."
        )
    return fit


def _limits(
    c: Components, value: float, k: float, absolute: bool, confidence: float
) -> tuple[float | None, float | None, str | None]:
    """Limits of the single rater's correlation on Fisher's scale, stepped up to the mean of k."""
    i, r = c.item / c.error, c.rater / c.error
    single = i / (i + (r if absolute else 0.0) + 1)
    below = (i + (r if absolute else 0.0) + 1) ** 2
    gradient = np.array([(below**0.5 - i) / below, -i / below if absolute else 0.0])
    variance = float(gradient @ np.nan_to_num(c.covariance, nan=np.inf) @ gradient) if i > 0 else np.inf
    if not np.isfinite(variance) or variance <= 0:
        return None, None, "a variance lies at 0, so the fit tells nothing of its spread"
    if single >= 1:
        return None, None, "perfect agreement"
    half = float(norm.ppf((1 + confidence) / 2)) * variance**0.5
    m = max(c.raters_per_item, 2.0)
    z = 0.5 * np.log((1 + (m - 1) * single) / (1 - single))
    slope = m / (2 * (1 - single) * (1 + (m - 1) * single))
    ends = []
    for end in (z - half * slope, z + half * slope):
        odds = np.exp(2 * end)
        rho = (odds - 1) / (odds + m - 1)
        ends.append(float(k * rho / (1 + (k - 1) * rho)))
    return ends[0], ends[1], None
