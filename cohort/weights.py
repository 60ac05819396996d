"""Inverse probability of censoring weights: who was watched long enough speaks for those who were lost."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def still_watched(followup: Floats, censored: NDArray[np.bool_], at: Floats) -> Floats:
    """Probability of not being censored before each time: the Kaplan-Meier curve of censoring, from the left.

    Args:
        followup: (n,) years to onset, death, loss or the end of the horizon.
        censored: (n,) lost.
        at: (m,) years.
    Returns:
        (m,) G(t-). Onset and death at a time come before loss at the same time.

    >>> still_watched(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]), np.array([0.5, 2.0, 4.0]))
    array([1.   , 0.75 , 0.375])
    """
    times, lost = np.unique(followup[censored], return_counts=True)
    at_risk = (followup[:, None] >= times[None, :]).sum(0) if len(times) < 64 else _at_risk(followup, times)
    events = _events_at(followup[~censored], times)
    curve = np.cumprod(1 - lost / np.maximum(at_risk - events, 1))
    place = np.searchsorted(times, at, side="left")
    return np.concatenate([[1.0], curve])[place]


def _at_risk(followup: Floats, times: Floats) -> NDArray[np.int64]:
    return len(followup) - np.searchsorted(np.sort(followup), times, side="left")


def _events_at(followup: Floats, times: Floats) -> NDArray[np.int64]:
    ordered = np.sort(followup)
    return np.searchsorted(ordered, times, side="right") - np.searchsorted(ordered, times, side="left")


def ipcw(followup: Floats, censored: NDArray[np.bool_]) -> Floats:
    """(n,) 1 / G(t-) for those whose outcome is known, 0 for the lost (Robins & Rotnitzky 1992; Graf et al. 1999).

    >>> ipcw(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False])).round(3).tolist()
    [0.0, 1.333, 0.0, 2.667]
    """
    return np.where(censored, 0.0, 1 / still_watched(followup, censored, followup))
