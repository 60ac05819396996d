"""One training loop for pre-training and fine-tuning: length-grouped batches, weighted cross-entropy, AdamW.

Batches are padded on the right: under causal attention nothing looks at what comes behind it, so no mask is needed
and the quickest attention serves. The loop can stop at any step and go on from there to the same bits.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, Protocol

import numpy as np
import torch

from ...study.progress import Progress
from ..encoding.encoder import Row
from .fused import fused
from .loss import Shaping, shaping_of, weighted_nats
from .losses import Groups, Weights
from .processes import Processes

_MEGABATCH = 20
"""Rows are sorted by length inside so many batches: little padding, and still a random order."""

Line = dict[str, float]
"""Metrics of a step."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    batch: int
    learning_rate: float
    seed: int
    warmup: float = 0.1
    weight_decay: float = 0.0
    micro_batch: int | None = None
    """Rows at a time; None: as many as hold `tokens_at_once`."""
    tokens_at_once: int | None = None
    """Padded tokens at a time; None: the whole batch."""
    bfloat16: bool = False


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


def batches(lengths: Sequence[int], size: int, rng: np.random.Generator) -> list[list[int]]:
    """Indices in batches of rows of similar length, in random order; each row once.

    >>> sorted(sum(batches([5, 1, 9], 2, np.random.default_rng(0)), []))
    [0, 1, 2]
    """
    order = rng.permutation(len(lengths))
    mega = size * _MEGABATCH
    out: list[list[int]] = []
    for i in range(0, len(order), mega):
        part = sorted(order[i : i + mega].tolist(), key=lambda j: lengths[j], reverse=True)
        out += [part[k : k + size] for k in range(0, len(part), size)]
    return [out[i] for i in rng.permutation(len(out))]


def token_losses(
    model: Any, rows: Sequence[Row], weights: Weights, shaping: Shaping | None, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of some rows.

    Args:
        model: with or without an adapter.
        rows: of which some tokens count.
        weights: (counted,) row by row, in the order of the tokens.
        shaping: what the model does to its logits.
        device: of the model.
    Returns:
        the weighted sum, with a gradient, and nats, shape (counted,).
    """
    width = max(len(r.ids) for r in rows)
    ids = np.zeros((len(rows), width), np.int64)
    counted = np.zeros((len(rows), width), bool)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = row.ids
        counted[i, : len(row.ids)] = np.array(row.groups) > 0
    where = np.nonzero(counted)
    places = (torch.from_numpy(where[0]).to(device), torch.from_numpy(where[1] - 1).to(device))
    inputs = {"input_ids": torch.from_numpy(ids).to(device), "use_cache": False}
    wanted = torch.from_numpy(ids[where]).to(device)
    return weighted_nats(model, inputs, places, wanted, torch.from_numpy(weights).to(device), shaping)


def train(
    model: Any,
    rows: Sequence[Row],
    weigh: Callable[[Groups], Weights],
    plan: Schedule,
    what: str = "train",
    keeper: Keeper | None = None,
    stopping: Stopping | None = None,
    processes: Processes | None = None,
) -> Iterator[Line]:
    """Train what requires a gradient, in place; yield one line of metrics a step, and show how far it is.

    Rows of one case that follow each other are one unit and stay in one batch. Steps that `keeper` has kept are not
    done again; their lines come first. Several `processes` share every batch and take the same steps.

    Yields:
        step, epoch, learning_rate, loss, gradient_norm, and mean nats and count of tokens by group number.
    """
    processes = processes or Processes()
    device = str(next(model.parameters()).device)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    units = [list(of_case) for _, of_case in groupby(rows, key=lambda r: r.case)]
    order = _order(units, plan)
    shaping = shaping_of(model)
    lines = keeper.resume(parameters, optimiser) if keeper else []  # last: it sets the random state
    yield from lines
    lines = list(lines)
    model.train()
    with Progress(what, len(order)) as bar, fused(model):
        bar.step(len(lines))
        for place, (epoch, batch) in enumerate(order[len(lines) :], len(lines)):
            if stopping and stopping.over(lines):
                break
            rate = plan.learning_rate * _pace(len(lines), len(order), plan.warmup)
            for group in optimiser.param_groups:
                group["lr"] = rate
            line = _step(model, [r for i in batch for r in units[i]], weigh, plan, shaping, device, processes)
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            head = {"step": len(lines) + 1, "epoch": epoch, "learning_rate": rate}
            lines.append({**head, **line, "gradient_norm": float(norm)})
            bar.step(note=f"loss {line['loss']:.3f}")
            if stopping and (place + 1 == len(order) or order[place + 1][0] != epoch):
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
    rows: Sequence[Row],
    weigh: Callable[[Groups], Weights],
    plan: Schedule,
    shaping: Shaping | None,
) -> float:
    """The loss of some rows under the model as it is, all of them as one batch."""
    device = str(next(model.parameters()).device)
    ordered = sorted(rows, key=lambda r: len(r.ids))
    groups = [np.array(r.groups) for r in ordered]
    weights = np.split(weigh(np.concatenate(groups)), np.cumsum([len(g) for g in groups])[:-1])
    counted = [w[g > 0] for w, g in zip(weights, groups, strict=True)]
    total = 0.0
    with torch.no_grad(), _autocast(plan.bfloat16, device):
        for i, j in pairwise(edges(ordered, plan)):
            part = np.concatenate(counted[i:j])
            total += float(token_losses(model, ordered[i:j], part, shaping, device)[0])
    return total


def _order(units: Sequence[Sequence[Row]], plan: Schedule) -> list[tuple[int, list[int]]]:
    """(epoch, units) of every step: it hangs on the seed alone, so a loop that goes on finds its place."""
    rng = np.random.default_rng(plan.seed)
    lengths = [max(len(r.ids) for r in unit) for unit in units]
    return [(epoch, batch) for epoch in range(plan.epochs) for batch in batches(lengths, plan.batch, rng)]


def _step(
    model: Any,
    rows: list[Row],
    weigh: Callable[[Groups], Weights],
    plan: Schedule,
    shaping: Shaping | None,
    device: str,
    processes: Processes,
) -> Line:
    """Add the gradient of one batch, in micro-batches and processes whose weights are those of the whole."""
    groups = [np.array(r.groups) for r in rows]
    weights = np.split(weigh(np.concatenate(groups)), np.cumsum([len(g) for g in groups])[:-1])
    counted = processes.share([w[g > 0] for w, g in zip(weights, groups, strict=True)])
    kinds = [g[g > 0] for g in groups]
    mine = processes.share(rows)
    nats, loss = [np.zeros(0, np.float32)], 0.0
    for i, j in pairwise(edges(mine, plan)):
        with _autocast(plan.bfloat16, device):
            part, each = token_losses(model, mine[i:j], np.concatenate(counted[i:j]), shaping, device)
        part.backward()
        loss += float(part.detach())
        nats.append(each.cpu().numpy())
    processes.add_gradients([p for p in model.parameters() if p.requires_grad])
    flat, kind = np.concatenate(nats), np.concatenate([np.zeros(0, np.int64), *processes.share(kinds)])
    present, counts = np.unique(np.concatenate(kinds), return_counts=True)
    loss, *sums = processes.sum([loss, *(float(flat[kind == g].sum(dtype=np.float64)) for g in present)])
    by_group = {f"nats_{g}": total / n for g, total, n in zip(present, sums, counts, strict=True)}
    return {"loss": loss, **by_group, **{f"tokens_{g}": int(n) for g, n in zip(present, counts, strict=True)}}


def edges(rows: Sequence[Row], plan: Schedule) -> list[int]:
    """Where micro-batches begin and end: 0, ..., the number of rows."""
    out, widest = [0], 0
    for i, row in enumerate(rows):
        widest = max(widest, len(row.ids))
        count = i + 1 - out[-1]
        full = (
            count > plan.micro_batch
            if plan.micro_batch
            else count * widest > (plan.tokens_at_once or math.inf)
        )
        if full and count > 1:
            out.append(i)
            widest = len(row.ids)
    return [*out, len(rows)] if rows else [0]


def _pace(step: int, total: int, warmup: float) -> float:
    """Share of the full learning rate: a linear rise, then a half cosine to zero."""
    rise = max(1, round(total * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


def _autocast(bfloat16: bool, device: str) -> AbstractContextManager[Any]:
    return torch.autocast(device.split(":")[0], dtype=torch.bfloat16) if bfloat16 else nullcontext()
