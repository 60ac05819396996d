"""Early stopping: after each epoch the loss of the tuning split, and the weights of the best epoch."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .optimise import Line

LOSS = "tuning_loss"
"""In the line of an epoch's last step."""


class EarlyStopping:
    """Stops a loop whose tuning loss no longer falls.

    Args:
        path: of the file with the best weights so far.
        patience: epochs without a lower loss before it stops.
        evaluate: the tuning loss of the model as it is.
        writes: whether this process is the one that writes.
    """

    def __init__(self, path: Path, patience: int, evaluate: Callable[[], float], writes: bool = True) -> None:
        self._path, self._patience, self._evaluate, self._writes = path, patience, evaluate, writes

    def after_epoch(self, lines: list[Line], parameters: list[Any]) -> None:
        """Write the tuning loss into the last line, and the weights to disk where none was lower."""
        before = losses(lines)
        lines[-1][LOSS] = self._evaluate()
        if self._writes and lines[-1][LOSS] < min(before, default=float("inf")):
            part = self._path.with_name(self._path.name + ".part")
            with part.open("wb") as f:
                torch.save([p.detach() for p in parameters], f)
                f.flush()
                os.fsync(f.fileno())
            part.replace(self._path)

    def over(self, lines: list[Line]) -> bool:
        """Whether the last `patience` epochs were not better than the best before them."""
        history = losses(lines)
        return len(history) - 1 - history.index(min(history)) >= self._patience if history else False

    def restore(self, parameters: list[Any]) -> None:
        """Put the best weights back."""
        with torch.no_grad():
            for p, kept in zip(parameters, torch.load(self._path, weights_only=True), strict=True):
                p.copy_(kept)
        if self._writes:
            self._path.unlink()


def losses(lines: list[Line]) -> list[float]:
    """The tuning loss of every epoch so far."""
    return [line[LOSS] for line in lines if LOSS in line]
