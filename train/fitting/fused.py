"""LoRA and norm layers in few passes over memory: the same functions, with less copied and kept.

peft adds `B(A(x)) * scale` to a layer's output with several temporary tensors and keeps each for the backward pass.
Here the adapter is added in place, and a layer's input is kept once. A layer that this does not fit (DoRA,
dropout, 4-bit weights, several adapters) stays as peft has it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class _LoraLinear(torch.autograd.Function):  # type: ignore[misc]
    """x W' + b + s (x A') B', with W and b frozen."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low = flat @ a.t()
        out = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
        out.addmm_(low, b.t(), alpha=scale)
        ctx.save_for_backward(flat, weight, a, b, low)
        ctx.scale, ctx.shape = scale, x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        flat, weight, a, b, low = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        thin = (grad @ b).mul_(ctx.scale)
        to_a = thin.t() @ flat
        to_b = (grad.t() @ low).mul_(ctx.scale)
        to_x = None
        if ctx.needs_input_grad[0]:
            to_x = (grad @ weight).addmm_(thin, a).view(ctx.shape)
        return to_x, None, None, to_a, to_b, None


class _Norm(torch.autograd.Function):  # type: ignore[misc]
    """x / sqrt(mean(x²) + eps) * w, with w frozen."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        size = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        inverse = torch.rsqrt(size.square() / x.shape[-1] + eps)
        ctx.save_for_backward(x, weight, inverse)
        return (x * inverse).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        scaled = grad * weight
        along = (scaled * x).sum(-1, keepdim=True) * (inverse**3 / -x.shape[-1])
        return scaled.mul_(inverse).addcmul_(x, along).to(x.dtype), None, None


@contextmanager
def fused(model: Any) -> Iterator[int]:
    """Inside the block, LoRA and norm layers of a model run fused where they can; gives how many do."""
    quick = [(m, _forward(m)) for m in model.modules() if _fits(m)]
    quick += [(m, norm) for m in model.modules() if (norm := _norm(m)) is not None]
    for layer, forward in quick:
        layer.forward = forward
    try:
        yield len(quick)
    finally:
        for layer, _ in quick:
            del layer.forward


def _norm(module: Any) -> Any:
    """A quicker forward of a frozen float32 RMS norm that was seen to give the same; None for anything else."""
    weight, eps = (
        getattr(module, "weight", None),
        getattr(module, "variance_epsilon", getattr(module, "eps", None)),
    )
    if not type(module).__name__.endswith("RMSNorm") or weight is None or eps is None:
        return None
    if weight.requires_grad or weight.dtype != torch.float32 or list(module._parameters) != ["weight"]:
        return None

    def forward(x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = _Norm.apply(x, weight, eps)
        return out

    probe = torch.linspace(-3, 2, 2 * len(weight), device=weight.device).reshape(2, -1)
    with torch.no_grad():
        return forward if torch.allclose(module(probe), forward(probe), rtol=1e-5, atol=1e-6) else None


def _forward(layer: Any) -> Any:
    (name,) = layer.active_adapters
    base, a, b = layer.base_layer, layer.lora_A[name], layer.lora_B[name]
    scale = float(layer.scaling[name])

    def forward(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else base.weight.dtype
        bias = None if base.bias is None else base.bias.to(dtype)
        parts = (x.to(dtype), base.weight.to(dtype), bias, a.weight.to(dtype), b.weight.to(dtype))
        out: torch.Tensor = _LoraLinear.apply(*parts, scale)
        return out

    return forward


def _fits(module: Any) -> bool:
    """A plain LoRA layer on a plain linear layer that is frozen, with one adapter and nothing besides."""
    if not (hasattr(module, "lora_A") and type(getattr(module, "base_layer", None)) is torch.nn.Linear):
        return False
    names = list(getattr(module, "active_adapters", []))
    if len(names) != 1 or getattr(module, "merged", False) or getattr(module, "disable_adapters", False):
        return False
    (name,) = names
    variants = getattr(module, "lora_variant", {})
    plain = name in module.lora_A and name not in variants and not module.lora_bias.get(name, False)
    frozen = not any(p.requires_grad for p in module.base_layer.parameters())
    return plain and frozen and type(module.lora_dropout[name]) is torch.nn.Identity
