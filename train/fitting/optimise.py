"""One training loop for pre-training and fine-tuning: length-grouped batches, weighted cross-entropy, AdamW.

Batches are padded on the right: under causal attention nothing looks at what comes behind it, so no mask is needed
and the quickest attention serves. The loop can stop at any step and go on from there to the same bits.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch

from ...study.progress import Progress
from ..encoding.encoder import EncodedRow
from .fused import fused
from .loss import Shaping, shaping_of
from .losses import Groups, Weights
from .processes import Processes
from .schedule import Schedule as Schedule
from .schedule import batches as batches
from .schedule import edges as edges
from .schedule import order, paces, units
from .scores import Score
from .step import Line as Line
from .step import Objective, autocast, step
from .step import token_losses as token_losses


class Keeper(Protocol):
    """Keeps the state of a loop from time to time: `train/fitting/checkpoint.py`."""

    def resume(self, parameters: list[Any], optimiser: Any) -> list[Line]:
        """Put everything back; the lines of the steps that are done."""

    def after(self, lines: list[Line], parameters: list[Any], optimiser: Any) -> None:
        """Called after every step."""


class Stopping(Protocol):
    """Decides after each epoch whether to go on: `train/fitting/stopping.py`."""

    def after_epoch(self, lines: list[Line], parameters: list[Any]) -> None:
        """Add to the last line what the tuning split says."""

    def over(self, lines: list[Line]) -> bool:
        """Whether to stop."""

    def restore(self, parameters: list[Any]) -> None:
        """Put the best weights back."""


def train(
    model: Any,
    rows: Sequence[EncodedRow] | Sequence[Sequence[EncodedRow]],
    weigh: Callable[[Groups], Weights],
    plan: Schedule,
    what: str = "train",
    keeper: Keeper | None = None,
    stopping: Stopping | None = None,
    processes: Processes | None = None,
    score: Score | None = None,
) -> Iterator[Line]:
    """Train what requires a gradient, in place; yield one line of metrics a step, and show how far it is.

    `rows` are those of every epoch, or of each epoch in turn. Rows of one case that follow each other are one unit
    and stay in one batch. Steps that `keeper` has kept are not done again; their lines come first. Several
    `processes` share every batch and take the same steps. With a `score`, labels are scored among the classes.

    Yields:
        step, epoch, learning_rate, loss, gradient_norm, mean nats and count of tokens by group number, and on some
        steps the norms and the cosine of the gradients of the label and of the rest.
    """
    processes = processes or Processes()
    device = str(next(model.parameters()).device)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    of_epochs = units(rows, plan.epochs)
    steps, rates = order(of_epochs, plan), paces(of_epochs, plan)
    objective = Objective(weigh, shaping_of(model), score)
    lines = keeper.resume(parameters, optimiser) if keeper else []  # last: it sets the random state
    yield from lines
    lines = list(lines)
    model.train()
    with Progress(what, len(steps)) as bar, fused(model):
        bar.step(len(lines))
        for place, (epoch, batch) in enumerate(steps[len(lines) :], len(lines)):
            if stopping and stopping.over(lines):
                break
            pace, anew = rates[place]
            if anew and place:
                optimiser.state.clear()
            rate = plan.learning_rate * pace
            for group in optimiser.param_groups:
                group["lr"] = rate
            some = [r for i in batch for r in of_epochs[epoch][i]]
            line = step(model, some, objective, plan, place, device, processes)
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            head = {"step": len(lines) + 1, "epoch": epoch, "learning_rate": rate}
            lines.append({**head, **line, "gradient_norm": float(norm)})
            bar.step(note=f"loss {line['loss']:.3f}")
            if stopping and (place + 1 == len(steps) or steps[place + 1][0] != epoch):
                model.eval()
                stopping.after_epoch(lines, parameters)
                model.train()
            if keeper:
                keeper.after(lines, parameters, optimiser)
            yield lines[-1]
    if stopping:
        stopping.restore(parameters)
    model.eval()


def mean_loss(
    model: Any,
    rows: Sequence[EncodedRow],
    weigh: Callable[[Groups], Weights],
    plan: Schedule,
    shaping: Shaping | None,
    score: Score | None = None,
) -> float:
    """The loss of some rows under the model as it is, all of them as one batch."""
    device = str(next(model.parameters()).device)
    ordered = sorted(rows, key=lambda r: len(r.ids))
    groups = [np.array(r.groups) for r in ordered]
    weights = np.split(weigh(np.concatenate(groups)), np.cumsum([len(g) for g in groups])[:-1])
    counted = [w[g > 0] for w, g in zip(weights, groups, strict=True)]
    total = 0.0
    with torch.no_grad(), autocast(plan.bfloat16, device):
        for i, j in pairwise(edges(ordered, plan)):
            part = np.concatenate(counted[i:j])
            total += float(token_losses(model, ordered[i:j], part, shaping, device, score)[0])
    return total
