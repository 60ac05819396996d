"""How much each token counts, and whether the label is scored by its probability among the classes.

A loss is the sum of weight times cross-entropy, so a loss is its weights. Where it has a `score`, the label's part of
that sum is a proper score of the class probabilities in place of the cross-entropy over the whole vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from ...study.errors import StudyError
from ..encoding.encoder import LABEL

Groups = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]
ScoreName = Literal["brier", "log"]


def token_mean(groups: Groups, label: float | None = None) -> Weights:
    """One mean over all counted tokens: what completion-only fine-tuning does; a label is one token among many.

    Args:
        groups: any shape; 0 does not count.
        label: how often a token of the label counts; None: once, like every other.

    >>> token_mean(np.array([0, 1, 1, 1, 2])).tolist()
    [0.0, 0.25, 0.25, 0.25, 0.25]
    >>> token_mean(np.array([0, 1, 1, 2]), label=2).tolist()
    [0.0, 0.25, 0.25, 0.5]
    """
    counted = np.where(groups == LABEL, 1.0 if label is None else label, groups > 0)
    return (counted / max(float(counted.sum()), 1e-12)).astype(np.float32)


def group_mean(groups: Groups, label: float | None = None) -> Weights:
    """The mean of each group's own mean over the batch: the label weighs as much as all the reasons together.

    Args:
        groups: any shape; 0 does not count.
        label: share of the label in the loss, the other groups alike in the rest; None: the same for every group.

    >>> group_mean(np.array([0, 1, 1, 2])).tolist()
    [0.0, 0.25, 0.25, 0.5]
    >>> group_mean(np.array([0, 1, 1, 2]), label=0.75).tolist()
    [0.0, 0.125, 0.125, 0.75]
    """
    present = [int(g) for g in np.unique(groups) if g > 0]
    shares = {g: 1 / len(present) for g in present}
    if label is not None and LABEL in present and len(present) > 1:
        shares = {g: label if g == LABEL else (1 - label) / (len(present) - 1) for g in present}
    weights = np.zeros(groups.shape, np.float32)
    for g in present:
        of_group = groups == g
        weights[of_group] = shares[g] / of_group.sum()
    return weights


@dataclass(frozen=True)
class Loss:
    """What is minimised: weights, and how the label is scored."""

    weigh: Callable[[Groups], Weights]
    """Groups of a whole batch to the weight of each token."""
    score: ScoreName | None = None
    """None: the label's cross-entropy over the whole vocabulary."""

    def __call__(self, groups: Groups) -> Weights:
        """The weights."""
        return self.weigh(groups)


@dataclass(frozen=True)
class Kind:
    """A loss by its name, and which weights of the label it takes."""

    weigh: Callable[..., Weights]
    score: ScoreName | None = None
    weight: Literal["none", "share", "times"] = "none"
    """`share`: in (0, 1), 1 over the number of groups where none is given; `times`: above 0, and needed."""


def loss(name: str, weight: float | None = None) -> Loss:
    """The loss called `name`.

    Args:
        name: in the table below.
        weight: of the label.
    Raises:
        StudyError: a weight where none is taken, or a wrong one.
    """
    kind = KINDS[name]
    if weight is None and kind.weight != "times":
        return Loss(kind.weigh, kind.score)
    if weight is None:
        raise StudyError(f"grid.weight: the loss {name!r} needs one: how often a token of the label counts.")
    if kind.weight == "none":
        takes = ", ".join(n for n, k in KINDS.items() if k.weight != "none")
        raise StudyError(f"grid.weight: the loss {name!r} takes none; {takes} do. Leave it out.")
    if kind.weight == "share" and not 0 < weight < 1:
        raise StudyError(
            f"grid.weight: {weight:g} is not a share of the loss {name!r}. Choose one between 0 and 1."
        )
    return Loss(partial(kind.weigh, label=weight), kind.score)


KINDS: dict[str, Kind] = {
    "token_mean": Kind(token_mean),
    "group_mean": Kind(group_mean, weight="share"),
    "label_weighted": Kind(token_mean, weight="times"),
    "brier": Kind(group_mean, score="brier", weight="share"),
    "log_score": Kind(group_mean, score="log", weight="share"),
}
LOSSES: dict[str, Loss] = {name: loss(name) for name, kind in KINDS.items() if kind.weight != "times"}
"""Those that need no weight."""
