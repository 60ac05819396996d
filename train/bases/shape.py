"""Where the text decoder of a model is, and which of its layers can be adapted."""

import re
from collections.abc import Iterator
from typing import Any

from ...study.errors import StudyError
from ..settings import Lora
from .libraries import libraries

_NO_ADAPTER = re.compile(r"(^|\.)(gate|router|shared_expert_gate)$")
"""Routers of mixtures of experts: they choose, and stay as they are."""


def decoder_layers(model: Any) -> tuple[str, Any]:
    """(name, list) of the layers of the text decoder: not those of a vision or audio part.

    Raises:
        StudyError: the model has none.
    """
    torch, _ = libraries()
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else model
    lists = [(n, m) for n, m in decoder.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m)]
    if not lists:
        raise StudyError(
            f"bases: {type(model).__name__} has no layers that could be adapted. Choose another base."
        )
    _, layers = max(lists, key=lambda item: len(item[1]))
    name = next(n for n, m in model.named_modules() if m is layers)
    return name, layers


def adapted_layers(model: Any, lora: Lora) -> list[str]:
    """Names of the linear layers that get an adapter, in the decoder's layers alone.

    Raises:
        StudyError: `modules` names none of them, or `last_layers` is more than there are.
    """
    prefix, layers = decoder_layers(model)
    if lora.last_layers is not None and lora.last_layers > len(layers):
        raise StudyError(
            f"train.lora.last_layers: {lora.last_layers} is more than the {len(layers)} layers of the base."
        )
    first = 0 if lora.last_layers is None else len(layers) - lora.last_layers
    linear = [f"{prefix}.{i}.{n}" for i in range(first, len(layers)) for n in _linear(layers[i])]
    if lora.modules == "all-linear":
        wanted = [n for n in linear if not _NO_ADAPTER.search(n)]
    else:
        modules = (lora.modules,) if isinstance(lora.modules, str) else lora.modules
        wanted = [n for n in linear if n.endswith(tuple(f".{m}" for m in modules))]
        missing = [m for m in modules if not any(n.endswith(f".{m}") for n in linear)]
        if missing:
            known = sorted({n.rpartition(".")[2] for n in linear})
            raise StudyError(
                f"train.lora.modules: {missing[0]!r} is not a linear layer of the base; known: {', '.join(known)}."
            )
    if not wanted:
        raise StudyError(f"bases: {type(model).__name__} has no linear layers to adapt. Choose another base.")
    return wanted


def _linear(layer: Any) -> Iterator[str]:
    yield from (n for n, m in layer.named_modules() if is_linear(m))


def is_linear(module: Any) -> bool:
    """Whether an adapter fits: a linear layer, GPT-2's transposed one, or one in 4 or 8 bits."""
    torch, _ = libraries()
    return isinstance(module, torch.nn.Linear) or type(module).__name__ in (
        "Conv1D",
        "Linear4bit",
        "Linear8bitLt",
    )
