"""How well risks rank people: ROC-AUC, average precision, sensitivity at a fixed specificity.

A metric takes `y` (n,) of 0 and 1, `risk` (n,) in [0, 1] and `w` (b, n), what each case counts in each of b
weightings, and returns (b,); NaN where a weighting has no answer. Its influence takes one weighting `w` (n,) and
returns (n,): the weight of each case times the derivative of the metric by that weight. Influences sum to zero, and
their squares to the variance of the metric over samples of independent cases (Hampel 1974; Deville 1999).
"""

import numpy as np

from .arrays import Floats, Labels, Places, kish, ratio

SPECIFICITY = 0.9
"""Of the threshold at which models are compared: the same false alarms, how many cases found."""


def roc_auc(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Chance that a case has a higher risk than a control, ties counting half (Hanley and McNeil 1982).

    Sorts the controls once; each case then adds the weight of the controls below it: O(b n), and no pair is formed.

    >>> roc_auc(np.array([1, 0, 1, 0]), np.array([0.8, 0.4, 0.4, 0.1]), np.ones((1, 4))).tolist()  # (1+1+.5+1)/4
    [0.875]
    """
    cases, controls = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    below, total = _weight_below(risk[controls], w[:, controls], risk[cases])
    wins = np.einsum("bi,bi->b", w[:, cases], below)
    return ratio(wins, w[:, cases].sum(axis=1) * total)


def roc_auc_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """DeLong's placements (DeLong 1988), weighted: a case's share of controls below it minus the AUC, and back."""
    cases, controls = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    below, n0 = _weight_below(risk[controls], w[None, controls], risk[cases])
    under, n1 = _weight_below(risk[cases], w[None, cases], risk[controls])
    placed = below[0] / n0
    auc = float(w[cases] @ placed / n1[0])
    out = np.zeros(len(y))
    out[cases] = w[cases] * (placed - auc) / n1
    out[controls] = w[controls] * (1 - under[0] / n1 - auc) / n0
    return out


def _weight_below(of: Floats, w: Floats, at: Floats) -> tuple[Floats, Floats]:
    """(b, m) weight of the risks `of` that are below each of `at`, ties counting half; (b,) their whole weight."""
    order = np.argsort(of, kind="stable")
    total = np.zeros((len(w), len(of) + 1))
    np.cumsum(w[:, order], axis=1, out=total[:, 1:])
    first, last = (np.searchsorted(of[order], at, side) for side in ("left", "right"))
    return (total[:, first] + total[:, last]) / 2, total[:, -1]


def pr_auc(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Average precision: mean precision over the recalled cases, without interpolation (Davis and Goadrich 2006).

    Its value for useless risks is the share of cases, so it is only comparable at the same prevalence.

    >>> pr_auc(np.array([1, 0, 1]), np.array([0.9, 0.6, 0.3]), np.ones((1, 3))).round(4).tolist()  # (1 + 2/3) / 2
    [0.8333]
    """
    order, ends = _falling(risk)
    w = w[:, order]
    positives = np.cumsum(w * y[order], axis=1)[:, ends]
    called = np.cumsum(w, axis=1)[:, ends]
    step = np.diff(positives, axis=1, prepend=0.0)
    precision = np.divide(positives, called, out=np.zeros_like(positives), where=called > 0)
    return ratio(np.einsum("bi,bi->b", step, precision), positives[:, -1])


def pr_auc_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """The derivative of average precision by the weight of each case, times that weight.

    With P cases in a tied group, F cases and C people down to it: AP = sum of P F / C over all cases. A case gains
    its own precision; everybody called earlier moves the precision of every group below.
    """
    order, ends = _falling(risk)
    ones = y[order].astype(float)
    positives, called = np.cumsum(w[order] * ones)[ends], np.cumsum(w[order])[ends]
    step, cases = np.diff(positives, prepend=0.0), positives[-1]
    precision = np.divide(positives, called, out=np.zeros_like(positives), where=called > 0)
    per_case = np.divide(step, called, out=np.zeros_like(step), where=called > 0)
    after = np.cumsum((per_case)[::-1])[::-1]
    lost = np.cumsum((per_case * precision)[::-1])[::-1]
    group = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    value = float(step @ precision / cases)
    slope = (ones * (precision[group] + after[group] - value) - lost[group]) / cases
    out = np.empty(len(y))
    out[order] = w[order] * slope
    return out


def _falling(risk: Floats) -> tuple[Places, Places]:
    """Places from the highest risk down, and where each group of equal risks ends."""
    order = np.argsort(-risk, kind="stable")
    return order, np.append(np.flatnonzero(np.diff(risk[order])), len(order) - 1)


def sensitivity(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of cases above the threshold that leaves at least nine in ten controls below or at it.

    >>> y = np.array([0] * 10 + [1, 1]); risk = np.array([*range(1, 11), 5, 9.5]) / 10    # threshold 0.9
    >>> sensitivity(y, risk, np.ones((1, 12))).tolist()
    [0.5]
    """
    return _above(y, risk, w, 1)


def specificity(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of controls at or below that threshold: 0.9, and more where many controls have the same risk.

    >>> y = np.array([0] * 10 + [1, 1]); risk = np.array([0.1] * 5 + [0.2] * 5 + [0.1, 0.3])    # threshold 0.2
    >>> specificity(y, risk, np.ones((1, 12))).tolist()
    [1.0]
    """
    return 1 - _above(y, risk, w, 0)


def _above(y: Labels, risk: Floats, w: Floats, label: int) -> Floats:
    """(b,) share of one class above the threshold of each weighting."""
    place = threshold(y, risk, w)
    group = np.flatnonzero(y == label)
    group = group[np.argsort(risk[group], kind="stable")]
    total = np.pad(np.cumsum(w[:, group], axis=1), ((0, 0), (1, 0)))
    first = np.searchsorted(risk[group], place, "right")
    above = total[:, -1] - total[np.arange(len(w)), first]
    return np.where(np.isnan(place), np.nan, ratio(above, total[:, -1]))


def threshold(y: Labels, risk: Floats, w: Floats, at: float = SPECIFICITY) -> Floats:
    """(b,) the lowest risk of a control with at least `at` of the controls' weight at or below it."""
    controls = np.flatnonzero(y == 0)
    if not len(controls):
        return np.full(len(w), np.nan)
    controls = controls[np.argsort(risk[controls], kind="stable")]
    below = np.cumsum(w[:, controls], axis=1)
    enough = below >= at * below[:, -1:] * (1 - 1e-12)
    return np.where(below[:, -1] > 0, risk[controls][np.argmax(enough, axis=1)], np.nan)


def sensitivity_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of the cases for a fixed threshold, and of the controls for where it lies (Linnet 1987).

    A control moves the threshold, and the sensitivity by the slope of the ROC curve there, which is taken over two
    standard errors of the specificity on both sides.
    """
    ones, zeros = y == 1, y == 0
    n1, n0 = w[ones].sum(), w[zeros].sum()
    at = float(threshold(y, risk, w[None])[0])
    near = 2 * np.sqrt(SPECIFICITY * (1 - SPECIFICITY) / kish(w[zeros]))
    ends = [
        float(threshold(y, risk, w[None], max(s, 0.0))[0])
        for s in (SPECIFICITY - near, min(SPECIFICITY + near, 1))
    ]
    hits, alarms = (np.array([w[g & (risk > t)].sum() for t in ends]) / w[g].sum() for g in (ones, zeros))
    slope = (hits[0] - hits[1]) / (alarms[0] - alarms[1]) if alarms[0] > alarms[1] else 0.0
    called = (risk > at).astype(float)
    share = w[ones] @ called[ones] / n1
    false = w[zeros] @ called[zeros] / n0
    return np.where(ones, w * (called - share) / n1, -slope * w * (called - false) / n0)
