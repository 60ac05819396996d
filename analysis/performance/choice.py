"""The best fit of a grid is chosen on the tuning split; what choosing on the held-out people would have claimed
stands beside."""

from collections.abc import Iterable, Sequence

from .evaluate import Evaluation
from .scores import PredictionKey

CHOSEN_BY = "roc_auc"
"""The metric by which a fit is chosen."""


class Choice:
    """Chooses among sets of predictions by their ROC-AUC."""

    def __init__(self, evaluation: Evaluation, tuning: Evaluation | None) -> None:
        self.evaluation, self.tuning = evaluation, tuning

    def best(self, keys: Iterable[PredictionKey]) -> PredictionKey | None:
        """The best on the tuning split; None where there are no predictions for it to choose by."""
        if self.tuning is None:
            return None
        return _best(self.tuning, [k for k in keys if k in self.tuning.scores.risk])

    def best_held_out(self, keys: Iterable[PredictionKey]) -> PredictionKey | None:
        """The best on the held-out people themselves: too good by the luck of the choice."""
        return _best(self.evaluation, list(keys))

    def shown(self, keys: Sequence[PredictionKey]) -> PredictionKey | None:
        """The fit that the figures show: the best on the tuning split, else the first of the grid."""
        return self.best(keys) or next(iter(keys), None)


def _best(evaluation: Evaluation, keys: Sequence[PredictionKey]) -> PredictionKey | None:
    known = [(evaluation.value(CHOSEN_BY, k, "sample", evaluation.present(k)), k) for k in keys]
    values = [(v, k) for v, k in known if v is not None]
    return max(values, key=lambda x: x[0])[1] if values else None
