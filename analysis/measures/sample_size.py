"""How many people a prediction model needs, by calculation instead of a rule of thumb.

Development: Riley and others 2019 and 2020 (BMJ 368:m441), as in the R package pmsampsize. Validation: Riley and
others 2021 (Statistics in Medicine 40:4230), as in pmvalsampsize. Nothing is rounded on the way, so numbers can be
a few people below those of the packages, which round shrinkage to three digits.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from .arrays import Floats, expit, logit
from .limits import Z, ranking_variance

SHRINKAGE, OPTIMISM, MARGIN = 0.9, 0.05, 0.05
"""Development: expected shrinkage, optimism in apparent R squared, margin of the overall risk."""
OE_WIDTH, SLOPE_WIDTH, AUC_WIDTH = 0.2, 0.2, 0.1
"""Validation: widths of the 95 % intervals of observed over expected, of the slope, and of ROC-AUC."""


class Need(NamedTuple):
    """A criterion, and the number of people that meets it."""

    criterion: str
    n: int


def development(parameters: int, r2: float, prevalence: float) -> list[Need]:
    """People needed to develop a regression model.

    Args:
        parameters: candidate predictor parameters.
        r2: Cox and Snell's R squared that is expected; see `r2_of_auc`.
        prevalence: share of people with the outcome.

    >>> [need.n for need in development(24, 0.288, 0.174)]    # the worked example of pmsampsize
    [623, 662, 221]
    """
    most = max_r2(prevalence)
    if not 0 < r2 < most:
        raise ValueError(f"R squared {r2:g} is not between 0 and {most:.3f}, the most at this prevalence")
    second = r2 / (r2 + OPTIMISM * most)
    third = (Z / MARGIN) ** 2 * prevalence * (1 - prevalence)
    return [
        Need(f"shrinkage of at least {SHRINKAGE:g}", _for_shrinkage(parameters, r2, SHRINKAGE)),
        Need(f"optimism in R squared of at most {OPTIMISM:g}", _for_shrinkage(parameters, r2, second)),
        Need(f"overall risk within {MARGIN:g}", int(np.ceil(third))),
    ]


def _for_shrinkage(parameters: int, r2: float, shrinkage: float) -> int:
    return int(np.ceil(parameters / ((shrinkage - 1) * np.log(1 - r2 / shrinkage))))


def max_r2(prevalence: float) -> float:
    """The largest Cox and Snell R squared that a binary outcome allows.

    >>> round(max_r2(0.5), 2), round(max_r2(0.05), 2)
    (0.75, 0.33)
    """
    each = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    return float(1 - np.exp(2 * each))


def r2_of_auc(auc: float, prevalence: float) -> float:
    """Cox and Snell's R squared of a model with this ROC-AUC (Riley, Van Calster and Collins 2021).

    The linear predictor is normal with the same spread in both classes; its likelihood by quadrature.

    >>> round(r2_of_auc(0.81, 0.77), 3)
    0.212
    """
    gap = np.sqrt(2) * ndtri(auc)
    x, w = np.polynomial.hermite_e.hermegauss(80)
    w = w / w.sum()
    base = np.log(prevalence / (1 - prevalence))

    def log_odds(at: Floats) -> Floats:
        return np.asarray(base + gap * at - gap**2 / 2)

    cases = -(w * np.logaddexp(0, -log_odds(x + gap))).sum()
    controls = -(w * np.logaddexp(0, log_odds(x))).sum()
    model = prevalence * cases + (1 - prevalence) * controls
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    return float(1 - np.exp(2 * (null - model)))


def validation(auc: float, prevalence: float, risk: Floats, weight: Floats | None = None) -> list[Need]:
    """People needed to validate a model, all drawn from the population that it is for.

    Args:
        auc: ROC-AUC that is expected.
        prevalence: share of people with the outcome.
        risk: (n,) predicted risks, for their spread; calibrated, or nearly.
        weight: (n,) what each of them counts.
    """
    se = OE_WIDTH / (2 * Z)
    while np.exp(Z * se) - np.exp(-Z * se) > OE_WIDTH:  # the interval is on the scale of the logarithm
        se *= 0.9999
    oe = (1 - prevalence) / (prevalence * se**2)
    return [
        Need(f"observed / expected, interval of width {OE_WIDTH:g}", int(np.ceil(oe))),
        Need(f"calibration slope, width {SLOPE_WIDTH:g}", _for_slope(risk, weight)),
        Need(f"ROC-AUC, width {AUC_WIDTH:g}", _for_auc(auc, prevalence)),
    ]


def _for_slope(risk: Floats, weight: Floats | None) -> int:
    """From the information of a logistic regression with slope 1 on the risks' log odds."""
    x = logit(risk)
    v = expit(x) * (1 - expit(x))
    w = np.ones(len(x)) if weight is None else weight
    w = w / w.sum()
    i00, i01, i11 = w @ v, w @ (v * x), w @ (v * x * x)
    information = i00 * i11 - i01**2
    return int(np.ceil(i00 / ((SLOPE_WIDTH / (2 * Z)) ** 2 * information))) if information > 1e-12 else 0


def _for_auc(auc: float, prevalence: float) -> int:
    """From Newcombe's variance, method 5; 0 where a thousand million people are too few."""
    goal = (AUC_WIDTH / (2 * Z)) ** 2

    def excess(log_n: float) -> float:
        n = np.exp(log_n)
        return ranking_variance(auc, n * prevalence, n * (1 - prevalence)) - goal

    fewest, most = np.log(4.0), np.log(1e9)
    if excess(most) > 0:
        return 0
    return int(np.ceil(np.exp(brentq(excess, fewest, most)))) if excess(fewest) > 0 else 4
