"""How a local model writes a batch: each row draws by its own seed, and one that only repeats itself ends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor, StoppingCriteria

from ...study.loops import loops


class RowSampler(LogitsProcessor):  # type: ignore[misc]
    """Draws the next token of every row by a generator of its own, so that no row depends on the others.

    Args:
        seeds: (rows,), of the generators.
        temperature: above 0.
        top_p: the likeliest tokens whose probabilities add up to this are drawn from.
    """

    def __init__(self, seeds: Sequence[int], temperature: float, top_p: float) -> None:
        self._draws = [np.random.default_rng(seed) for seed in seeds]
        self._temperature, self._top_p = temperature, top_p

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """(rows, vocabulary) scores of which the drawn token's is the only finite one."""
        p, order = torch.softmax(scores.float() / self._temperature, dim=-1).sort(dim=-1, descending=True)
        p = p * (p.cumsum(-1) - p < self._top_p)
        edges = p.cumsum(-1).double()
        u = torch.tensor([[d.random()] for d in self._draws], dtype=torch.float64, device=scores.device)
        place = (edges <= u * edges[:, -1:]).sum(-1, keepdim=True).clamp(max=scores.shape[-1] - 1)
        drawn = torch.full_like(scores, -torch.inf)
        return drawn.scatter(1, order.gather(1, place), 0.0)


class Loops(StoppingCriteria):  # type: ignore[misc]
    """Ends rows that only repeat themselves.

    Args:
        start: where the answers begin.
        ends: tokens behind which a row is at its end.
    """

    def __init__(self, start: int, ends: set[int]) -> None:
        self._start, self._ends = start, ends
        self.looped: list[bool] = []
        """(rows,), after the last token."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **more: Any) -> torch.Tensor:
        """(rows,) whether a row is at its end."""
        rows = input_ids[:, self._start :].tolist()
        before = self.looped or [False] * len(rows)
        self.looped = [
            old or (not self._ends.intersection(row) and loops(row))
            for old, row in zip(before, rows, strict=True)
        ]
        return torch.tensor(self.looped, device=input_ids.device)
