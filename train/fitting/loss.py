"""Cross-entropy of the counted tokens alone, in chunks: neither the prompt's logits nor all logits at once exist.

The head is asked for nothing while the body runs; what it was given is kept, and only the places that foretell a
counted token go through it, so many at a time. Their gradient is worked out on the way, since what each token weighs
is known beforehand; so no logits are kept for the backward pass.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from .scores import Score

_CHUNK = 256
"""Tokens at a time: with a vocabulary of 150,000 that is 150 MB of logits."""


@dataclass(frozen=True)
class Shaping:
    """What a model does to its logits behind the head: nothing, a factor, or a cap."""

    factor: float = 1.0
    cap: float | None = None

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        logits = logits * self.factor if self.factor != 1.0 else logits
        return logits if self.cap is None else self.cap * torch.tanh(logits / self.cap)


@dataclass(frozen=True)
class Scored:
    """Tokens that are scored among the classes."""

    score: Score
    where: torch.Tensor
    """(tokens,) which they are; each is the token of a class."""

    def __call__(self, logits: torch.Tensor, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """The weighted sum of their scores.

        Args:
            logits: (scored, classes).
            wanted: (tokens,) ids of all tokens.
            counts: (tokens,) weights of all tokens.
        """
        return (self.score(logits, self.score.truth(wanted[self.where])) * counts[self.where]).sum()


class _WeightedNats(torch.autograd.Function):  # type: ignore[misc]
    """Sum of weight times cross-entropy; the gradient is computed with the value."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        wanted: torch.Tensor,
        counts: torch.Tensor,
        shaping: Shaping,
        nats: torch.Tensor,
    ) -> torch.Tensor:
        to_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        to_bias = torch.zeros_like(bias) if bias is not None and ctx.needs_input_grad[2] else None
        for i in range(0, len(wanted), _CHUNK):
            part, ids, count = (
                hidden[i : i + _CHUNK],
                wanted[i : i + _CHUNK, None],
                counts[i : i + _CHUNK, None],
            )
            raw = torch.nn.functional.linear(part, weight, bias).float()
            shaped = shaping(raw)
            logs = torch.log_softmax(shaped, dim=1)
            nats[i : i + _CHUNK] = -logs.gather(1, ids)[:, 0]
            if to_hidden is None and to_weight is None:
                continue
            grad = logs.exp_()
            grad.scatter_add_(1, ids, -torch.ones_like(count))
            grad *= count * shaping.factor
            if shaping.cap is not None:
                grad *= 1 - (shaped / shaping.cap) ** 2
            grad = grad.to(weight.dtype)
            if to_hidden is not None:
                to_hidden[i : i + _CHUNK] = (grad @ weight).to(hidden.dtype)
            if to_weight is not None:
                to_weight.addmm_(grad.t(), part)
            if to_bias is not None:
                to_bias += grad.sum(0)
        ctx.gradients = to_hidden, to_weight, to_bias
        return (nats * counts).sum()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        scaled = [None if g is None else g * grad for g in ctx.gradients]
        return (*scaled, None, None, None, None)


def weighted_nats(
    model: Any,
    inputs: dict[str, Any],
    places: tuple[torch.Tensor, torch.Tensor],
    wanted: torch.Tensor,
    counts: torch.Tensor,
    shaping: Shaping | None,
    scored: Scored | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of some tokens.

    Args:
        model: a causal language model, with or without an adapter.
        inputs: of its forward pass.
        places: (tokens,) row and column of the hidden state that foretells each token.
        wanted: (tokens,) its id.
        counts: (tokens,) its weight.
        shaping: what the model does to its logits; None: the model itself has to do it, to all of them at once.
        scored: which of the tokens are scored among the classes, instead of by their cross-entropy.
    Returns:
        the weighted sum, with a gradient; and (tokens,) nats of each, without.
    """
    head = model.get_output_embeddings()
    if shaping is None:
        return _unchunked(model, head, inputs, places, wanted, counts, scored)
    with idle(head) as seen:
        model(**inputs)
    hidden = seen[0][places]
    nats = torch.empty(len(wanted), dtype=torch.float32, device=hidden.device)
    weight = head.weight if head.weight.dtype == hidden.dtype else head.weight.to(hidden.dtype)
    bias = getattr(head, "bias", None)
    with torch.autocast(hidden.device.type, enabled=False):
        if scored is None:
            return _WeightedNats.apply(hidden, weight, bias, wanted, counts, shaping, nats), nats
        classes = list(scored.score.classes)
        some = None if bias is None else bias[classes].float()
        raw = torch.nn.functional.linear(hidden[scored.where].float(), head.weight[classes].float(), some)
        scores = scored(shaping(raw), wanted, counts)
        rest = counts.masked_fill(scored.where, 0)
        return scores + _WeightedNats.apply(hidden, weight, bias, wanted, rest, shaping, nats), nats


def _unchunked(
    model: Any,
    head: Any,
    inputs: dict[str, Any],
    places: Any,
    wanted: torch.Tensor,
    counts: torch.Tensor,
    scored: Scored | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    linear = head.forward
    head.forward = lambda hidden: linear(hidden[places])[None]
    try:
        logits = model(**inputs).logits[0].float()
    finally:
        del head.forward
    nats = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
    if scored is None:
        return (nats * counts).sum(), nats.detach()
    scores = scored(logits[scored.where][:, list(scored.score.classes)], wanted, counts)
    return scores + (nats * counts.masked_fill(scored.where, 0)).sum(), nats.detach()


@contextmanager
def idle(head: Any) -> Iterator[list[torch.Tensor]]:
    """Inside the block the head keeps what it is given and gives back next to nothing."""
    seen: list[torch.Tensor] = []

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        seen.append(hidden)
        return hidden[..., :1].detach().float()

    head.forward = forward
    try:
        yield seen
    finally:
        del head.forward


def shaping_of(model: Any) -> Shaping | None:
    """How a model shapes its logits, found by giving it known ones; None where it is neither a factor nor a cap."""
    head = model.get_output_embeddings()
    known = torch.linspace(-40, 40, 41, device=head.weight.device)
    head.forward = lambda hidden: known.expand(*hidden.shape[:-1], -1).clone()
    try:
        with torch.no_grad():
            ids = torch.zeros((1, 1), dtype=torch.int64, device=head.weight.device)
            shaped = model(input_ids=ids, use_cache=False).logits.reshape(-1)[-len(known) :].float()
    finally:
        del head.forward
    if shaped.shape != known.shape:
        return None
    factor = float(shaped[21] / known[21])
    if torch.allclose(shaped, known * factor, rtol=1e-4, atol=1e-4):
        return Shaping(1.0 if abs(factor - 1) < 1e-4 else factor)
    cap = getattr(model.config.get_text_config(decoder=True), "final_logit_softcapping", None)
    if cap and torch.allclose(shaped, cap * torch.tanh(known / cap), rtol=1e-3, atol=1e-3):
        return Shaping(cap=float(cap))
    return None
