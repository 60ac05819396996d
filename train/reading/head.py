"""The output layer in float32 whatever the body computes in, for all of the vocabulary or for the labels alone.

bfloat16 logits have eight bits: two hundred people get nine different risks. Only the last matrix product has to be
exact for that, so it alone is done in float32; what a model does to its logits behind it (scaling, capping) stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def float32_head(model: Any, tokens: Sequence[int] | None = None) -> Iterator[None]:
    """Inside the block the model's logits are float32, and only those of `tokens`, in their order, where given."""
    head = model.get_output_embeddings()
    rows = slice(None) if tokens is None else list(tokens)
    weight = head.weight[rows].float()
    bias = None if getattr(head, "bias", None) is None else head.bias[rows].float()

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            return torch.nn.functional.linear(hidden.float(), weight, bias)

    head.forward = forward
    try:
        yield
    finally:
        del head.forward
