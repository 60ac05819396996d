"""What of a base is trained: LoRA adapters on the linear layers of its text decoder, or all of its weights."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...study.errors import StudyError
from ..bases.libraries import libraries, peft_quiet
from ..settings import Lora, Settings

_NO_ADAPTER = re.compile(r"(^|\.)(gate|router|shared_expert_gate)$")
"""Routers of mixtures of experts: they choose, and stay as they are."""
_LINEAR = ("Linear", "Conv1D", "Linear4bit", "Linear8bitLt")


def trainable(model: Any, settings: Settings) -> Any:
    """The model with what is to be trained; everything else is frozen.

    Raises:
        StudyError: `lora.modules` names no layer.
    """
    if settings.tune == "full":
        model.requires_grad_(True)
        return model
    import peft

    lora = settings.lora
    names = adapted_layers(model, lora)
    conv = any(type(model.get_submodule(n)).__name__ == "Conv1D" for n in names)
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_short(model, names),
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        fan_in_fan_out=conv,
        task_type="CAUSAL_LM",
    )
    with peft_quiet():
        return peft.get_peft_model(model, config)


def save(model: Any, folder: Path) -> None:
    """Write what was trained: an adapter, or a whole model."""
    model.save_pretrained(folder)


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
    found = [f"{prefix}.{i}.{n}" for i in range(first, len(layers)) for n in _linear(layers[i])]
    if lora.modules == "all-linear":
        wanted = [n for n in found if not _NO_ADAPTER.search(n)]
    else:
        asked = (lora.modules,) if isinstance(lora.modules, str) else lora.modules
        wanted = [n for n in found if n.endswith(tuple(f".{m}" for m in asked))]
        missing = [m for m in asked if not any(n.endswith(f".{m}") for n in found)]
        if missing:
            known = sorted({n.rpartition(".")[2] for n in found})
            raise StudyError(
                f"train.lora.modules: {missing[0]!r} is no linear layer of the base; known: {', '.join(known)}."
            )
    if not wanted:
        raise StudyError(f"bases: {type(model).__name__} has no linear layers to adapt. Choose another base.")
    return wanted


def _linear(layer: Any) -> Iterator[str]:
    yield from (n for n, m in layer.named_modules() if type(m).__name__ in _LINEAR)


def _short(model: Any, names: list[str]) -> list[str]:
    """The last parts of the names where these alone choose the same layers, else the names."""
    ends = {n.rpartition(".")[2] for n in names}
    every = [
        n for n, m in model.named_modules() if n.rpartition(".")[2] in ends and type(m).__name__ in _LINEAR
    ]
    return sorted(ends) if set(every) == set(names) else names


def checkpoint_activations(model: Any) -> None:
    """Keep only what enters each layer and compute the rest again for the backward pass: less memory, more time."""
    from torch.utils.checkpoint import checkpoint

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    for layer in decoder_layers(base)[1]:
        inner = layer.forward

        def forward(*args: Any, _inner: Any = inner, **kwargs: Any) -> Any:
            return checkpoint(_inner, *args, use_reentrant=False, **kwargs)

        layer.forward = forward
    first = next(p for p in base.get_input_embeddings().parameters())
    if not first.requires_grad:
        base.enable_input_require_grads()
