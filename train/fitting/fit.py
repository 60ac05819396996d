"""One fit: a LoRA adapter on a base model, taught the examples of one target."""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ...study import layout
from ...study.grid import Cell
from ...study.records import write_text
from ..bases.libraries import peft_quiet
from ..bases.models import bfloat16
from ..encoding.encoder import GROUPS, Row
from ..encoding.history import Cuts
from ..records import Fit
from ..settings import Settings
from .losses import LOSSES
from .optimise import Schedule, train


def fit(
    model: Any, rows: Sequence[Row], cell: Cell, settings: Settings, folder: Path, cuts: Cuts | None = None
) -> Fit:
    """Fine-tune an adapter and write `adapter/`, `metrics.jsonl` and, last, `fit.json`.

    Args:
        model: the base; on return it carries the adapter.
        rows: the encoded examples of `cell.n` cases.
        cell: loss, learning rate, seed.
        settings: what all fits share.
        folder: of the cell.
        cuts: what the histories lost to the base's context.
    """
    import peft

    start = time.monotonic()
    torch.manual_seed(cell.seed)
    lora = settings.lora
    modules = lora.modules if isinstance(lora.modules, str) else list(lora.modules)
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=modules,
        task_type="CAUSAL_LM",
    )
    with peft_quiet():
        adapted = peft.get_peft_model(model, config)
    device = str(next(adapted.parameters()).device)
    plan = Schedule(
        epochs=settings.epochs, batch=settings.batch, learning_rate=cell.learning_rate, seed=cell.seed,
        warmup=settings.warmup, weight_decay=settings.weight_decay, micro_batch=settings.micro_batch,
        bfloat16=bfloat16(settings.precision, device),
    )  # fmt: skip
    lines = []
    with (folder / "metrics.jsonl").open("w") as f:
        for line in train(adapted, rows, LOSSES[cell.loss], plan, f"train: {cell.target}"):
            f.write(json.dumps(line) + "\n")
            lines.append(line)
    adapted.save_pretrained(folder / "adapter")
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    made = Fit(
        cell=cell.id, base=cell.base,
        parameters=sum(p.numel() for p in adapted.parameters()) - trained, trained_parameters=trained,
        examples=len({r.case for r in rows}), epochs=settings.epochs, steps=len(lines),
        tokens={name: sum(r.groups.count(g) for r in rows) for name, g in GROUPS.items()},
        final_loss=_final_loss(lines), seconds=round(time.monotonic() - start, 3),
        truncated=cuts.cases if cuts else 0, lines_cut=cuts.lines if cuts else 0, cited_cut=cuts.cited if cuts else 0,
    )  # fmt: skip
    write_text(folder / layout.FIT, made.model_dump_json(indent=1))
    return made


def _final_loss(lines: Sequence[dict[str, float]]) -> dict[str, float]:
    """Nats per token over the last epoch, by loss group."""
    nats: dict[str, float] = defaultdict(float)
    tokens: dict[str, float] = defaultdict(float)
    for line in lines:
        if line["epoch"] == lines[-1]["epoch"]:
            for name, g in GROUPS.items():
                n = line.get(f"tokens_{g}", 0)
                nats[name] += n * line.get(f"nats_{g}", 0.0)
                tokens[name] += n
    return {name: nats[name] / tokens[name] for name in nats if tokens[name]}
