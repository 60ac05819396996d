"""What of a base is trained: LoRA adapters on the linear layers of its text decoder, or all of its weights."""

from pathlib import Path
from typing import Any

from ..bases.libraries import peft_quiet
from ..bases.shape import adapted_layers, decoder_layers, is_linear
from ..settings import Settings


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


def _short(model: Any, names: list[str]) -> list[str]:
    """The last parts of the names where these alone choose the same layers, else the names."""
    ends = {n.rpartition(".")[2] for n in names}
    every = [n for n, m in model.named_modules() if n.rpartition(".")[2] in ends and is_linear(m)]
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
