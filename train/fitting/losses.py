"""How much each token counts. A loss is the sum of weight times cross-entropy, so a loss is its weights."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Groups = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]


def token_mean(groups: Groups) -> Weights:
    """One mean over all counted tokens: what completion-only fine-tuning does; a label is one token among many.

    Args:
        groups: any shape; 0 does not count.

    >>> token_mean(np.array([0, 1, 1, 1, 2])).tolist()
    [0.0, 0.25, 0.25, 0.25, 0.25]
    """
    counted = groups > 0
    return (counted / max(int(counted.sum()), 1)).astype(np.float32)


def group_mean(groups: Groups) -> Weights:
    """The mean of each group's own mean over the batch: the label weighs as much as all the reasons together.

    Args:
        groups: any shape; 0 does not count.

    >>> group_mean(np.array([0, 1, 1, 2])).tolist()
    [0.0, 0.25, 0.25, 0.5]
    """
    present = [g for g in np.unique(groups) if g > 0]
    weights = np.zeros(groups.shape, np.float32)
    for g in present:
        mine = groups == g
        weights[mine] = 1 / (mine.sum() * len(present))
    return weights


LOSSES: dict[str, Callable[[Groups], Weights]] = {"token_mean": token_mean, "group_mean": group_mean}
