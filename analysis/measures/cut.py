"""Metrics of a decision at a cut of 0.5, the likelier class, and how extreme risks are. Shapes: `discrimination.py`.

They let a published table of decoded labels be held beside ours. A text without a label has a risk of 0.5 under the
read-out `generated_label` and is not called: it stays among the people that recall and specificity are shares of.
"""

import numpy as np

from .arrays import Floats, Labels, ratio

CUT = 0.5
"""Above it a person is called."""
EXTREME = 0.02
"""A risk nearer to 0 or 1 than this is polarised (Rank1 study, arXiv 2505.16886)."""


def recall(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of the people with the outcome who are called: sensitivity at the cut.

    >>> recall(np.array([1, 1, 0, 0]), np.array([0.9, 0.5, 0.7, 0.1]), np.ones((1, 4))).tolist()
    [0.5]
    """
    return ratio(w @ (y * _called(risk)), w @ y.astype(float))


def recall_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a ratio of two sums."""
    return _of_ratio(y * _called(risk), y.astype(float), w)


def precision(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of the people called who have the outcome; NaN where nobody is called.

    >>> precision(np.array([1, 1, 0, 0]), np.array([0.9, 0.8, 0.7, 0.1]), np.ones((1, 4))).round(3).tolist()
    [0.667]
    """
    return ratio(w @ (y * _called(risk)), w @ _called(risk))


def precision_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a ratio of two sums."""
    return _of_ratio(y * _called(risk), _called(risk), w)


def f1(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Harmonic mean of recall and precision: twice the true positives over called and with the outcome.

    >>> f1(np.array([1, 1, 0, 0]), np.array([0.9, 0.5, 0.7, 0.1]), np.ones((1, 4))).tolist()    # 2 x 1 / (2 + 2)
    [0.5]
    """
    return ratio(2 * (w @ (y * _called(risk))), w @ (_called(risk) + y))


def f1_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a ratio of two sums."""
    return _of_ratio(2 * y * _called(risk), _called(risk) + y, w)


def specificity_at_cut(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of the people without the outcome who are not called.

    >>> specificity_at_cut(np.array([1, 0, 0, 0]), np.array([0.9, 0.5, 0.7, 0.1]), np.ones((1, 4))).round(3).tolist()
    [0.667]
    """
    return ratio(w @ ((1 - y) * (1 - _called(risk))), w @ (1.0 - y))


def specificity_at_cut_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a ratio of two sums."""
    return _of_ratio((1 - y) * (1 - _called(risk)), (1 - y).astype(float), w)


def polarised(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Share of risks below 0.02 or above 0.98.

    >>> polarised(np.array([1, 0, 0, 0]), np.array([0.99, 0.01, 0.5, 0.02]), np.ones((1, 4))).tolist()
    [0.5]
    """
    return ratio(w @ _extreme(risk), w.sum(axis=1))


def polarised_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a weighted mean."""
    return _of_ratio(_extreme(risk), np.ones(len(y)), w)


def _called(risk: Floats) -> Floats:
    return (risk > CUT).astype(float)


def _extreme(risk: Floats) -> Floats:
    return ((risk < EXTREME) | (risk > 1 - EXTREME)).astype(float)


def _of_ratio(above: Floats, below: Floats, w: Floats) -> Floats:
    """Influences on the ratio of two weighted sums."""
    total = float(w @ below)
    if total == 0:
        return np.full(len(w), np.nan)
    return np.asarray(w * (above - float(w @ above) / total * below) / total)
