"""One training loop for pre-training and fine-tuning: length-grouped batches, weighted cross-entropy, AdamW.

Batches are padded on the left, so that what counts stands at the end and logits are computed for the end alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...study.progress import Progress
from ..encoding.encoder import Row
from .losses import Groups, Weights

Ids = npt.NDArray[np.int64]

_MEGABATCH = 20
"""Rows are sorted by length inside so many batches: little padding, and still a random order."""


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
    bfloat16: bool = False


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


def padded(rows: Sequence[Sequence[int]], fill: int) -> Ids:
    """(rows, longest), filled on the left."""
    width = max(map(len, rows))
    return np.array([[fill] * (width - len(r)) + list(r) for r in rows], dtype=np.int64)


def inputs(ids: Ids, mask: Ids, device: str) -> dict[str, torch.Tensor]:
    """Ids, mask and positions as a causal model takes them; positions count from each row's first real token."""
    positions = np.maximum(mask.cumsum(axis=1) - 1, 0)
    arrays = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    return {name: torch.from_numpy(a).to(device) for name, a in arrays.items()}


def token_losses(model: Any, rows: Sequence[Row], device: str) -> tuple[torch.Tensor, Groups]:
    """Cross-entropy of every counted token.

    Returns:
        nats, shape (counted,), and the loss group of each. Row by row, in the order of the tokens.
    """
    ids, groups = padded([r.ids for r in rows], 0), padded([r.groups for r in rows], 0)
    mask = padded([[1] * len(r.ids) for r in rows], 0)
    counted = groups > 0
    tail = int(ids.shape[1] - counted.any(axis=0).argmax())
    where = np.nonzero(counted)
    out = model(**inputs(ids, mask, device), logits_to_keep=tail + 1, use_cache=False)
    columns = where[1] - (ids.shape[1] - out.logits.shape[1]) - 1
    logits = out.logits[torch.from_numpy(where[0]).to(device), torch.from_numpy(columns).to(device)]
    losses = torch.nn.functional.cross_entropy(
        logits.float(), torch.from_numpy(ids[where]).to(device), reduction="none"
    )
    return losses, groups[where]


def train(
    model: Any, rows: Sequence[Row], weigh: Callable[[Groups], Weights], plan: Schedule, what: str = "train"
) -> Iterator[dict[str, float]]:
    """Train what requires a gradient, in place; yield one line of metrics a step, and show how far it is.

    Rows of one case that follow each other are one unit and stay in one batch.

    Yields:
        step, epoch, learning_rate, loss, gradient_norm, and mean nats and count of tokens by group number.
    """
    device = str(next(model.parameters()).device)
    rng = np.random.default_rng(plan.seed)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    units = [list(of_case) for _, of_case in groupby(rows, key=lambda r: r.case)]
    lengths = [max(len(r.ids) for r in unit) for unit in units]
    total = plan.epochs * math.ceil(len(units) / plan.batch)
    step = 0
    model.train()
    with Progress(what, total) as bar:
        for epoch in range(plan.epochs):
            for batch in batches(lengths, plan.batch, rng):
                rate = plan.learning_rate * _pace(step, total, plan.warmup)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                line = _step(model, [r for i in batch for r in units[i]], weigh, plan, device)
                norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
                step += 1
                bar.step(note=f"loss {line['loss']:.3f}")
                yield {
                    "step": step,
                    "epoch": epoch,
                    "learning_rate": rate,
                    **line,
                    "gradient_norm": float(norm),
                }
    model.eval()


def _step(
    model: Any, rows: list[Row], weigh: Callable[[Groups], Weights], plan: Schedule, device: str
) -> dict[str, float]:
    """Add the gradient of one batch, in micro-batches whose weights are those of the whole."""
    groups = [np.array(r.groups) for r in rows]
    weights = np.split(weigh(np.concatenate(groups)), np.cumsum([len(g) for g in groups])[:-1])
    size = plan.micro_batch or len(rows)
    nats, kinds, loss = [], [], 0.0
    for i in range(0, len(rows), size):
        with _autocast(plan.bfloat16, device):
            losses, kind = token_losses(model, rows[i : i + size], device)
        mine = np.concatenate(
            [w[g > 0] for w, g in zip(weights[i : i + size], groups[i : i + size], strict=True)]
        )
        part = (losses * torch.from_numpy(mine).to(device)).sum()
        part.backward()
        loss += float(part.detach())
        nats.append(losses.detach().cpu().numpy())
        kinds.append(kind)
    flat, kind = np.concatenate(nats), np.concatenate(kinds)
    by_group = {f"nats_{g}": float(flat[kind == g].mean()) for g in np.unique(kind)}
    counts = {f"tokens_{g}": int((kind == g).sum()) for g in np.unique(kind)}
    return {"loss": loss, **by_group, **counts}


def _pace(step: int, total: int, warmup: float) -> float:
    """Share of the full learning rate: a linear rise, then a half cosine to zero."""
    rise = max(1, round(total * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


def _autocast(bfloat16: bool, device: str) -> AbstractContextManager[Any]:
    return torch.autocast(device.split(":")[0], dtype=torch.bfloat16) if bfloat16 else nullcontext()
