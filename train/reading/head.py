"""The output layer in float32 whatever the body computes in, for all of the vocabulary or for the labels alone.

bfloat16 logits have eight bits: two hundred people get nine different risks. Only the last matrix product has to be
exact for that, so it alone is done in float32; what a model does to its logits behind it (scaling, capping) stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def float32_head(
    model: Any, tokens: Sequence[int] | None = None, places: tuple[torch.Tensor, torch.Tensor] | None = None
) -> Iterator[None]:
    """Inside the block the model's logits are float32, and fewer where that is asked for.

    Args:
        model: a causal language model.
        tokens: only their logits, in their order.
        places: only at these (rows, columns); the logits have shape (1, places, vocabulary) then.
    """
    head = model.get_output_embeddings()
    rows = slice(None) if tokens is None else list(tokens)
    weight = head.weight[rows].float()
    bias = None if getattr(head, "bias", None) is None else head.bias[rows].float()

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        if places is not None:
            hidden = hidden[places][None]
        with torch.autocast(hidden.device.type, enabled=False):
            return torch.nn.functional.linear(hidden.float(), weight, bias)

    head.forward = forward
    try:
        yield
    finally:
        del head.forward
