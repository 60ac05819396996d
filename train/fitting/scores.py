"""Proper scores of the label's probability among the classes (Gneiting and Raftery 2007), with a gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...study.errors import StudyError
from .losses import ScoreName


@dataclass(frozen=True)
class Score:
    """How labels are scored.

    Args:
        name: `brier`: half the squared distance between the probabilities and the outcome, (p - y)² for two classes;
            `log`: minus the log of the probability of what happened, where the classes share all of it.
        classes: token of each class.
    """

    name: ScoreName
    classes: tuple[int, ...]

    def __call__(self, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """(labels,) the score of each.

        Args:
            logits: (labels, classes), of the classes' tokens.
            truth: (labels,) number of the class.

        >>> even = torch.zeros(1, 2)
        >>> Score("brier", (0, 1))(even, torch.tensor([1])), Score("log", (0, 1))(even, torch.tensor([1]))
        (tensor([0.2500]), tensor([0.6931]))
        """
        logs = torch.log_softmax(logits.float(), dim=1)
        if self.name == "log":
            return -logs.gather(1, truth[:, None])[:, 0]
        happened = torch.nn.functional.one_hot(truth, len(self.classes))
        return 0.5 * ((logs.exp() - happened) ** 2).sum(1)

    def truth(self, ids: torch.Tensor) -> torch.Tensor:
        """(labels,) numbers of the classes from the ids of their tokens."""
        return (ids[:, None] == torch.tensor(self.classes, device=ids.device)).int().argmax(1)


def score(name: ScoreName | None, classes: Sequence[Sequence[int]]) -> Score | None:
    """The score called `name`; None where the label is not scored.

    Args:
        name: of a loss in `train/fitting/losses.py`.
        classes: tokens of each class, as the base writes them.
    Raises:
        StudyError: a class takes several tokens.
    """
    if name is None:
        return None
    if any(len(tokens) != 1 for tokens in classes):
        raise StudyError(
            f"grid.loss: the {name} score needs classes of one token each; this base writes them in "
            f"{' and '.join(str(len(t)) for t in classes)} tokens. Choose other words for them, or another loss."
        )
    return Score(name, tuple(tokens[0] for tokens in classes))
