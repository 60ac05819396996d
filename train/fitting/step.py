"""One step: the gradient of a batch, in micro-batches and processes whose weights are those of the whole."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..encoding.encoder import LABEL, EncodedRow
from .gradients import Parted, put, taken
from .loss import Scored, Shaping, weighted_nats
from .losses import Groups, Weights
from .processes import Processes
from .schedule import Schedule, edges
from .scores import Score

Line = dict[str, float]
"""Metrics of a step."""
Nats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Objective:
    """What is minimised, of which model."""

    weigh: Callable[[Groups], Weights]
    shaping: Shaping | None
    score: Score | None = None


def token_losses(
    model: Any,
    rows: Sequence[EncodedRow],
    weights: Weights,
    shaping: Shaping | None,
    device: str,
    score: Score | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of some rows.

    Args:
        model: with or without an adapter.
        rows: of which some tokens count.
        weights: (counted,) row by row, in the order of the tokens.
        shaping: what the model does to its logits.
        device: of the model.
        score: of the labels, in place of their cross-entropy.
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
    scored = None
    if score is not None:
        labels = np.concatenate([np.array([g for g in r.groups if g > 0]) == LABEL for r in rows])
        scored = Scored(score, torch.from_numpy(labels).to(device))
    return weighted_nats(model, inputs, places, wanted, torch.from_numpy(weights).to(device), shaping, scored)


def step(
    model: Any,
    rows: list[EncodedRow],
    objective: Objective,
    plan: Schedule,
    place: int,
    device: str,
    processes: Processes,
) -> Line:
    """Add the gradient of one batch; where asked, with the gradients of label and rest compared or projected."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [np.array(r.groups) for r in rows]
    weights = np.split(objective.weigh(np.concatenate(groups)), np.cumsum([len(g) for g in groups])[:-1])
    counted = [w[g > 0] for w, g in zip(weights, groups, strict=True)]
    kinds = [g[g > 0] for g in groups]
    label = [np.where(k == LABEL, w, 0).astype(np.float32) for w, k in zip(counted, kinds, strict=True)]
    apart = any(w.any() for w in label) and any((w != v).any() for w, v in zip(label, counted, strict=True))

    def backward(some: list[Weights]) -> tuple[float, Nats]:
        loss_and_nats = _backward(model, rows, some, objective, plan, device, processes)
        processes.add_gradients(parameters)
        return loss_and_nats

    if plan.projected and apart:
        loss, nats = backward(label)
        of_label = taken(parameters)
        rest, _ = backward([w - v for w, v in zip(counted, label, strict=True)])
        parted = Parted(of_label, taken(parameters))
        put(parameters, parted.projected())
        return {**_line(loss + rest, nats, kinds, processes), **parted.compared()}
    loss, nats = backward(counted)
    line = _line(loss, nats, kinds, processes)
    if apart and plan.compare_every and place % plan.compare_every == 0:
        whole = taken(parameters)
        with torch.random.fork_rng():  # a comparison changes nothing of what follows
            backward(label)
        of_label = taken(parameters)
        line |= Parted(of_label, [a - b for a, b in zip(whole, of_label, strict=True)]).compared()
        put(parameters, whole)
    return line


def _backward(
    model: Any,
    rows: list[EncodedRow],
    weights: list[Weights],
    objective: Objective,
    plan: Schedule,
    device: str,
    processes: Processes,
) -> tuple[float, Nats]:
    """Add the gradient of this process's share of a batch, in micro-batches whose weights are those of the whole.

    Returns:
        the loss of the share, and (counted,) nats of its tokens.
    """
    counted, own = processes.share(weights), processes.share(rows)
    nats, loss = [np.zeros(0, np.float32)], 0.0
    for i, j in pairwise(edges(own, plan)):
        some = np.concatenate(counted[i:j])
        with autocast(plan.bfloat16, device):
            part, each = token_losses(model, own[i:j], some, objective.shaping, device, objective.score)
        part.backward()
        loss += float(part.detach())
        nats.append(each.cpu().numpy())
    return loss, np.concatenate(nats)


def _line(loss: float, nats: Nats, kinds: list[Groups], processes: Processes) -> Line:
    """Loss of the batch, and nats and tokens of each group, over all processes."""
    kind = np.concatenate([np.zeros(0, np.int64), *processes.share(kinds)])
    present, counts = np.unique(np.concatenate(kinds), return_counts=True)
    loss, *sums = processes.sum([loss, *(float(nats[kind == g].sum(dtype=np.float64)) for g in present)])
    by_group = {f"nats_{g}": float(total / n) for g, total, n in zip(present, sums, counts, strict=True)}
    return {"loss": loss, **by_group, **{f"tokens_{g}": int(n) for g, n in zip(present, counts, strict=True)}}


def autocast(bfloat16: bool, device: str) -> AbstractContextManager[Any]:
    return torch.autocast(device.split(":")[0], dtype=torch.bfloat16) if bfloat16 else nullcontext()
