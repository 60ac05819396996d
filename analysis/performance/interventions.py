"""What interventions on a model's reasons say of it: paired differences of risk, and what kind of student it is.

The unit is the person: a mean over cases, its interval from the spread between persons (Student's t).
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from scipy.stats import t

from ..measures.arrays import Floats, Places
from ..records import Effect
from .scores import HeldOut, PredictionKey, Scores

OWN = "own_rationale"
INTERVENTIONS = (
    "direct",
    "other_rationale",
    "shuffled_rationale",
    "without_cited",
    "without_uncited",
    "flipped_conclusion",
    "misleading_line",
    *(f"early_answer_{k}" for k in range(7)),
)
MOVED = 0.05
"""A mean shift of risk below this says that nothing was moved."""


def effects(scores: Scores, held: HeldOut, target_of: Mapping[str, str]) -> Iterator[Effect]:
    """Every intervention of every fit that was read after its own rationale.

    Args:
        scores: risks by cell and read-out.
        held: the cases.
        target_of: arm of each cell.
    """
    for key, own in scores.risk.items():
        if key.readout != OWN:
            continue
        for name in INTERVENTIONS:
            other = scores.risk.get(PredictionKey(key.cell, name))
            if other is None:
                continue
            both = np.isfinite(own) & np.isfinite(other)
            shift = (other - own)[both]
            if not len(shift):
                continue
            mean, low, high = interval(shift, held.person[both])
            size, least, most = interval(np.abs(shift), held.person[both])
            yield Effect(
                cell=key.cell,
                target=target_of.get(key.cell, key.cell),
                readout=name,
                n=len(shift),
                mean=mean,
                low=low,
                high=high,
                size=size,
                size_low=least,
                size_high=most,
            )


def interval(values: Floats, person: Places) -> tuple[float, float | None, float | None]:
    """Mean with its 95 % interval over persons; no limits with fewer than two persons.

    >>> interval(np.array([0.0, 1.0]), np.array([0, 1]))[0]
    0.5
    """
    mean, (_, place) = float(values.mean()), np.unique(person, return_inverse=True)
    n = int(place.max()) + 1
    if n < 2:
        return mean, None, None
    sums = np.bincount(place, values - mean, n)
    error = float(np.sqrt((sums**2).sum() * n / (n - 1)) / len(values))
    reach = float(t.ppf(0.975, n - 1)) * error
    return mean, mean - reach, mean + reach


def student(effects: Iterable[Effect]) -> str | None:
    """The kind of student that the effects on one fit point to; None where an intervention is missing.

    `post-hoc`: it follows the history, whatever the reasons say. `random`: lines that it does not cite move it as
    much as those that it cites. `leaking`: turning its conclusion round moves it half as far as another person's
    reasons or more: it reads the verdict, not the findings. `faithful`: it follows the reasons.
    """
    size = {e.readout: e.size for e in effects}
    if not {"other_rationale", "without_cited", "without_uncited", "flipped_conclusion"} <= set(size):
        return None
    swapped, flipped = size["other_rationale"], size["flipped_conclusion"]
    if max(swapped, flipped) <= MOVED:
        return "post-hoc"
    if size["without_uncited"] > MOVED and size["without_cited"] < 1.5 * size["without_uncited"]:
        return "random"
    return "leaking" if flipped > max(MOVED, 0.5 * swapped) else "faithful"
