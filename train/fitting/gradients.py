"""The gradients of label and reasons, apart: how far they agree, and a projection that protects the label's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

Gradient = list[torch.Tensor]


def taken(parameters: Sequence[Any]) -> Gradient:
    """The gradients as they are; the parameters have none afterwards."""
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    for p in parameters:
        p.grad = None
    return gradients


def put(parameters: Sequence[Any], gradient: Gradient) -> None:
    """Set the gradients."""
    for p, g in zip(parameters, gradient, strict=True):
        p.grad = g


@dataclass(frozen=True)
class Parted:
    """The gradient of the label's part of a loss, and that of everything else."""

    label: Gradient
    others: Gradient

    @property
    def inner(self) -> float:
        """Their inner product."""
        return sum(
            float((a * b).sum(dtype=torch.float64)) for a, b in zip(self.label, self.others, strict=True)
        )

    def compared(self) -> dict[str, float]:
        """Norms and cosine; the cosine is left out where one of the two vanishes."""
        label, others = norm(self.label), norm(self.others)
        out = {"norm_label": label, "norm_others": others}
        return {**out, "cosine": self.inner / (label * others)} if label and others else out

    def projected(self) -> Gradient:
        """Their sum, after the others have lost what works against the label.

        PCGrad (Yu et al. 2020, arXiv 2001.06782) in its one-sided form: where the inner product is negative, the part
        of `others` along `label` is taken away; the label's gradient is never touched.
        """
        inner, square = self.inner, norm(self.label) ** 2
        factor = inner / square if inner < 0 and square > 0 else 0.0
        return [a + b - factor * a for a, b in zip(self.label, self.others, strict=True)]


def norm(gradient: Gradient) -> float:
    """Euclidean length of all of it."""
    return math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradient))
