"""How far risks are from outcomes: Brier score, log loss, expected over observed. Shapes: `discrimination.py`."""

import numpy as np

from .arrays import Floats, Labels, clipped, ratio


def brier(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Mean squared distance between risk and outcome (Brier 1950); 0 is best.

    >>> brier(np.array([1, 0]), np.array([0.9, 0.4]), np.ones((1, 2))).round(4).tolist()    # (0.01 + 0.16) / 2
    [0.085]
    """
    return ratio(w @ (risk - y) ** 2, w.sum(axis=1))


def brier_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a weighted mean."""
    return _of_mean((risk - y) ** 2, w)


def scaled_brier(y: Labels, risk: Floats, w: Floats) -> Floats:
    """1 minus Brier over that of predicting the prevalence for everybody: 1 is perfect, 0 or below is useless.

    >>> scaled_brier(np.array([1, 0]), np.array([0.9, 0.4]), np.ones((1, 2))).round(4).tolist()   # 1 - 0.085/0.25
    [0.66]
    """
    prevalence = ratio(w @ y.astype(float), w.sum(axis=1))
    return 1 - ratio(brier(y, risk, w), prevalence * (1 - prevalence))


def scaled_brier_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """By the chain rule from those of the Brier score and the prevalence."""
    prevalence = float(w @ y / w.sum())
    spread = prevalence * (1 - prevalence)
    score = float(brier(y, risk, w[None])[0])
    by_prevalence = score * (1 - 2 * prevalence) / spread**2
    return by_prevalence * _of_mean(y.astype(float), w) - brier_influence(y, risk, w) / spread


def log_loss(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Mean negative log likelihood, in nats; risks clipped at 1e-6.

    >>> log_loss(np.array([1, 0]), np.array([0.5, 0.5]), np.ones((1, 2))).round(4).tolist()    # ln 2
    [0.6931]
    """
    return ratio(w @ _surprise(y, risk), w.sum(axis=1))


def log_loss_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a weighted mean."""
    return _of_mean(_surprise(y, risk), w)


def expected_observed(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Expected over observed number of cases: above 1, risks are too high on the whole.

    >>> expected_observed(np.array([1, 0]), np.array([0.9, 0.4]), np.ones((1, 2))).round(4).tolist()
    [1.3]
    """
    return ratio(w @ risk, w @ y.astype(float))


def expected_observed_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Of a ratio of two sums."""
    observed = float(w @ y)
    return w * (risk - float(w @ risk) / observed * y) / observed


def _surprise(y: Labels, risk: Floats) -> Floats:
    r = clipped(risk)
    return -np.where(y == 1, np.log(r), np.log1p(-r))


def _of_mean(x: Floats, w: Floats) -> Floats:
    return np.asarray(w * (x - float(w @ x) / w.sum()) / w.sum())
