"""Discrimination, calibration and accuracy of risks, each for one weighting of the cases or thousands at once.

Every metric takes `y` (n,) of 0 and 1, `risk` (n,) in [0, 1] and `w` (b, n), what each case counts in each of b
weightings (bootstrap counts times case weights), and returns (b,); NaN where a weighting has no answer, which
becomes `None` with a reason in a record.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .scores import Floats

Labels = NDArray[np.int64]
Function = Callable[[Labels, Floats, Floats], Floats]
EDGE = 1e-6
"""Risks nearer to 0 or 1 than this are moved here where a logarithm is taken."""
SPECIFICITY = 0.9
"""Of the one threshold at which models are compared: the same false alarms, how many cases found."""


def roc_auc(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Chance that a case has a higher risk than a control, ties counting half (Hanley and McNeil 1982).

    Sorts the controls once; each case then adds the weight of the controls below it: O(b n), and no pair is formed.

    >>> roc_auc(np.array([1, 0, 1, 0]), np.array([0.8, 0.4, 0.4, 0.1]), np.ones((1, 4))).tolist()  # (1+1+.5+1)/4
    [0.875]
    """
    cases, controls = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    controls = controls[np.argsort(risk[controls], kind="stable")]
    below = np.zeros((len(w), len(controls) + 1))
    np.cumsum(w[:, controls], axis=1, out=below[:, 1:])
    first = np.searchsorted(risk[controls], risk[cases], "left")
    last = np.searchsorted(risk[controls], risk[cases], "right")
    wins = np.einsum("bi,bi->b", w[:, cases], below[:, first] + below[:, last]) / 2
    return _ratio(wins, w[:, cases].sum(axis=1) * below[:, -1])


def pr_auc(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Average precision: mean precision over the recalled cases, without interpolation (Davis and Goadrich 2006).

    Its value for useless risks is the share of cases, so it is only comparable at the same prevalence.

    >>> pr_auc(np.array([1, 0, 1]), np.array([0.9, 0.6, 0.3]), np.ones((1, 3))).round(4).tolist()  # (1 + 2/3) / 2
    [0.8333]
    """
    order = np.argsort(-risk, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(risk[order])), len(order) - 1)
    w = w[:, order]
    found = np.cumsum(w * y[order], axis=1)[:, ends]
    called = np.cumsum(w, axis=1)[:, ends]
    step = np.diff(found, axis=1, prepend=0.0)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return _ratio(np.einsum("bi,bi->b", step, precision), found[:, -1])


def sensitivity(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of cases above the threshold that leaves at least nine in ten controls below or at it.

    The threshold is found anew in every weighting, so its uncertainty is in the interval.

    >>> y = np.array([0] * 10 + [1, 1]); risk = np.array([*range(1, 11), 5, 9.5]) / 10    # threshold 0.9
    >>> sensitivity(y, risk, np.ones((1, 12))).tolist()
    [0.5]
    """
    cases, controls = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    cases = cases[np.argsort(risk[cases], kind="stable")]
    controls = controls[np.argsort(risk[controls], kind="stable")]
    if not (len(cases) and len(controls)):
        return np.full(len(w), np.nan)
    below = np.cumsum(w[:, controls], axis=1)
    enough = below >= SPECIFICITY * below[:, -1:] * (1 - 1e-12)
    threshold = risk[controls][np.argmax(enough, axis=1)]
    missed = np.pad(np.cumsum(w[:, cases], axis=1), ((0, 0), (1, 0)))
    first = np.searchsorted(risk[cases], threshold, "right")
    total = missed[:, -1]
    return _ratio(total - missed[np.arange(len(w)), first], total * (below[:, -1] > 0))


def brier(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Mean squared distance between risk and outcome (Brier 1950); 0 is best.

    >>> brier(np.array([1, 0]), np.array([0.9, 0.4]), np.ones((1, 2))).round(4).tolist()    # (0.01 + 0.16) / 2
    [0.085]
    """
    return _ratio(w @ (risk - y) ** 2, w.sum(axis=1))


def scaled_brier(y: Labels, risk: Floats, w: Floats) -> Floats:
    """1 minus Brier over that of predicting the prevalence for everybody: 1 is perfect, 0 or below is useless.

    >>> scaled_brier(np.array([1, 0]), np.array([0.9, 0.4]), np.ones((1, 2))).round(4).tolist()   # 1 - 0.085/0.25
    [0.66]
    """
    prevalence = _ratio(w @ y.astype(float), w.sum(axis=1))
    return 1 - _ratio(brier(y, risk, w), prevalence * (1 - prevalence))


def log_loss(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Mean negative log likelihood, in nats.

    >>> log_loss(np.array([1, 0]), np.array([0.5, 0.5]), np.ones((1, 2))).round(4).tolist()    # ln 2
    [0.6931]
    """
    r = np.clip(risk, EDGE, 1 - EDGE)
    return _ratio(w @ -np.where(y == 1, np.log(r), np.log1p(-r)), w.sum(axis=1))


def expected_observed(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Expected over observed number of cases: above 1, risks are too high on the whole.

    >>> expected_observed(np.array([1, 0]), np.array([0.9, 0.4]), np.ones((1, 2))).round(4).tolist()
    [1.3]
    """
    return _ratio(w @ risk, w @ y.astype(float))


def calibration_in_the_large(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Intercept of a logistic recalibration with slope held at 1 (Cox 1958; Van Calster 2019); 0 is best.

    >>> calibration_in_the_large(np.array([1, 0]), np.array([0.5, 0.5]), np.array([[3.0, 1.0]])).round(4).tolist()
    [1.0986]
    """
    x, ones = _logit(risk), y.astype(float)

    def newton(w: Floats, a: Floats) -> Floats:
        target = w @ ones
        for _ in range(STEPS):
            p = _expit(x + a[:, None])
            v = w * p
            step = _ratio(target - v.sum(axis=1), v.sum(axis=1) - np.einsum("bi,bi->b", v, p))
            a = a + np.clip(step, -2, 2)
            if not (np.abs(step) > TOLERANCE).any():
                break
        return a

    middle = newton(w.mean(axis=0, keepdims=True), np.zeros(1))  # most weightings end near their mean
    return _one_class_is_nan(newton(w, np.repeat(middle, len(w))), y, w)


def calibration_slope(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Slope of a logistic regression of the outcome on the log odds of the risk; below 1: risks too extreme.

    Newton's method on all weightings at once. NaN where risks do not vary, and where they separate the classes.

    >>> r = np.array([0.2, 0.2, 0.8, 0.8])    # observed 1/4 at 0.2 and 3/4 at 0.8: ln 3 over ln 4
    >>> calibration_slope(np.array([1, 0, 1, 0]), r, np.array([[1.0, 3.0, 3.0, 1.0]])).round(4).tolist()
    [0.7925]
    """
    x = _logit(risk)
    spread = float(x.std())
    if spread < 1e-12:
        return np.full(len(w), np.nan)
    x = (x - x.mean()) / spread  # the slope of nearly constant risks is steep, and Newton's steps are not
    ones = y.astype(float)
    log_odds = _logit(_ratio(w.sum(axis=0) @ ones, w.sum()))
    middle = _line(ones, x, w.mean(axis=0, keepdims=True), np.append(log_odds, 0.0)[None, :])
    start = middle if np.isfinite(middle).all() else np.append(log_odds, 0.0)[None, :]
    slope = _line(ones, x, w, np.repeat(start, len(w), axis=0))[:, 1] / spread
    return _one_class_is_nan(slope, y, w)


def _line(ones: Floats, x: Floats, w: Floats, ab: Floats) -> Floats:
    """Intercepts and slopes (b, 2) of weighted logistic regressions, from a start; NaN where they do not settle.

    The start is a flat line or the fit of the mean weighting, from where no step overshoots far.
    """
    a, b = ab[:, 0], ab[:, 1]
    wy, wyx, xx = w @ ones, w @ (ones * x), x**2
    step: Floats = np.full(len(w), np.inf)
    for _ in range(STEPS):
        p = _expit(a[:, None] + b[:, None] * x)
        v = w * p
        ga, gb = wy - v.sum(axis=1), wyx - v @ x
        v -= v * p
        haa, hab, hbb = v.sum(axis=1), v @ x, v @ xx
        det = haa * hbb - hab**2
        da, db = _ratio(hbb * ga - hab * gb, det), _ratio(haa * gb - hab * ga, det)
        a, b = a + np.clip(da, -2, 2), b + np.clip(db, -2, 2)
        step = np.abs(db)
        if not (step > TOLERANCE).any():
            break
    return np.column_stack([a, np.where(step > TOLERANCE, np.nan, b)])


STEPS, TOLERANCE = 30, 1e-4
"""Newton's method converges quadratically: after a step below 1e-4 the error is near 1e-8."""


def _logit(risk: Floats) -> Floats:
    r = np.clip(risk, EDGE, 1 - EDGE)
    return np.asarray(np.log(r) - np.log1p(-r))


def _expit(x: Floats) -> Floats:
    """In place: `x` is given up."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    return np.divide(1, x, out=x)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Quotient; NaN over zero."""
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0))


def _one_class_is_nan(value: Floats, y: Labels, w: Floats) -> Floats:
    ones = w @ y.astype(float)
    return np.where((ones > 0) & (ones < w.sum(axis=1)), value, np.nan)


METRICS: dict[str, Function] = {
    "roc_auc": roc_auc,
    "pr_auc": pr_auc,
    "sensitivity_at_90": sensitivity,
    "brier": brier,
    "scaled_brier": scaled_brier,
    "log_loss": log_loss,
    "expected_observed": expected_observed,
    "calibration_in_the_large": calibration_in_the_large,
    "calibration_slope": calibration_slope,
}
"""By the name in the tables. Adding one is a function and a line here."""


LOWER_IS_BETTER = frozenset({"brier", "log_loss"})
