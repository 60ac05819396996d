"""How long and how fast a fit runs: which rows stand in which batch, and the learning rate of every step.

All of it hangs on the seed alone, so a loop that goes on from a checkpoint finds its place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import cast

import numpy as np

from ..encoding.encoder import EncodedRow

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
    """Rows at a time; None: as many as hold `tokens_at_once`."""
    tokens_at_once: int | None = None
    """Padded tokens at a time; None: the whole batch."""
    bfloat16: bool = False
    stages: tuple[int, ...] = ()
    """Epochs of each stage, which has a warm-up and an optimiser of its own; empty: one stage."""
    projected: bool = False
    """The rest of the loss may not work against the label: `train/fitting/gradients.py`."""
    compare_every: int = 0
    """Steps between two comparisons of the gradients of label and rest; 0: none."""


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


def units(
    rows: Sequence[EncodedRow] | Sequence[Sequence[EncodedRow]], epochs: int
) -> list[list[list[EncodedRow]]]:
    """The rows of each case, for every epoch."""
    if rows and isinstance(rows[0], EncodedRow):
        same = [
            list(of_case) for _, of_case in groupby(cast(Sequence[EncodedRow], rows), key=lambda r: r.case)
        ]
        return [same] * epochs
    each = cast(Sequence[Sequence[EncodedRow]], rows)
    return [[list(of_case) for _, of_case in groupby(part, key=lambda r: r.case)] for part in each]


def order(of_epochs: Sequence[Sequence[Sequence[EncodedRow]]], plan: Schedule) -> list[tuple[int, list[int]]]:
    """(epoch, units) of every step: it hangs on the seed alone, so a loop that goes on finds its place."""
    rng = np.random.default_rng(plan.seed)
    out: list[tuple[int, list[int]]] = []
    for epoch, of_epoch in enumerate(of_epochs):
        lengths = [max(len(r.ids) for r in unit) for unit in of_epoch]
        out += [(epoch, batch) for batch in batches(lengths, plan.batch, rng)]
    return out


def paces(of_epochs: Sequence[Sequence[Sequence[EncodedRow]]], plan: Schedule) -> list[tuple[float, bool]]:
    """(share of the full learning rate, whether a stage begins) of every step."""
    out: list[tuple[float, bool]] = []
    stages = plan.stages or (len(of_epochs),)
    for first, last in pairwise([0, *accumulate(stages)]):
        steps = sum(math.ceil(len(of_epoch) / plan.batch) for of_epoch in of_epochs[first:last])
        out += [(_pace(i, steps, plan.warmup), i == 0) for i in range(steps)]
    return out


def edges(rows: Sequence[EncodedRow], plan: Schedule) -> list[int]:
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
