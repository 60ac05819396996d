"""One fit: a base model with an adapter, taught the examples of one target."""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch

from ...study import layout
from ...study.grid import Cell
from ...study.records import write_text
from ..bases.models import bfloat16
from ..encoding.encoder import GROUPS, EncodedRow
from ..encoding.history import Cuts
from ..records import Fit, Gradients
from ..settings import Settings
from ..targets import TARGETS, Target
from ..teaching.course import first_stage
from .adapter import checkpoint_activations, save, trainable
from .checkpoint import Checkpoint
from .loss import shaping_of
from .losses import loss as loss_of
from .optimise import Schedule, mean_loss, train
from .processes import Processes
from .scores import score as score_of
from .stopping import EarlyStopping

CHECKPOINT = "checkpoint.pt"
"""In a cell's folder, while its fit is under way."""
BEST = "best.pt"
"""The same: the weights of the best epoch so far."""


def fit(
    model: Any,
    rows: Sequence[EncodedRow] | Sequence[Sequence[EncodedRow]],
    cell: Cell,
    settings: Settings,
    folder: Path,
    cuts: Cuts | None = None,
    key: str = "",
    tuning: Sequence[EncodedRow] = (),
    processes: Processes | None = None,
    target: Target | None = None,
    classes: Sequence[Sequence[int]] = (),
) -> Fit:
    """Fine-tune a base and write `adapter/`, `metrics.jsonl` and, last, `fit.json`.

    Interrupted at any moment, the same call goes on from the last checkpoint and ends with the same weights.

    Args:
        model: the base; on return it carries the adapter.
        rows: the encoded examples of `cell.n` cases, the same in every epoch or those of each epoch in turn.
        cell: loss, learning rate, seed.
        settings: what all fits share.
        folder: of the cell.
        cuts: what the histories lost to the base's context.
        key: of everything that makes the fit.
        tuning: examples of the tuning split, for early stopping.
        processes: that share the fit; the first of them writes.
        target: what is taught; None: `cell.target`.
        classes: tokens of each class, for losses that score the label among them.
    """
    processes, target = processes or Processes(), target or TARGETS[cell.target]
    start = time.monotonic()
    torch.manual_seed(cell.seed)
    model = trainable(model, settings)
    if settings.activation_checkpointing:
        checkpoint_activations(model)
    device = str(next(model.parameters()).device)
    plan = Schedule(
        epochs=settings.epochs,
        batch=settings.batch,
        learning_rate=cell.learning_rate,
        seed=cell.seed,
        warmup=settings.warmup,
        weight_decay=settings.weight_decay,
        micro_batch=settings.micro_batch,
        tokens_at_once=settings.tokens_at_once(device.startswith("cuda")),
        bfloat16=bfloat16(settings.precision, device),
        stages=stages(settings.epochs, target.stages),
        projected=cell.projected,
        compare_every=settings.compare_every,
    )
    checkpoint = Checkpoint(folder / CHECKPOINT, key, settings.checkpoint_seconds, processes.first)
    loss, stopping = loss_of(target.loss or cell.loss, cell.weight), None
    score = score_of(loss.score, classes)
    if settings.early_stopping:
        shaping = shaping_of(model)
        stopping = EarlyStopping(
            folder / BEST,
            settings.early_stopping,
            lambda: mean_loss(model, tuning, loss.weigh, plan, shaping, score),
            processes.first,
        )
    what = f"train: {cell.target}"
    lines = list(train(model, rows, loss.weigh, plan, what, checkpoint, stopping, processes, score))
    if processes.first:
        write_text(folder / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        save(model, folder / "adapter")
    each = _each_epoch(rows)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    result = Fit(
        cell=cell.id,
        base=cell.base,
        key=key,
        parameters=sum(p.numel() for p in model.parameters()) - trained,
        trained_parameters=trained,
        examples=len({r.case for epoch in each for r in epoch}),
        epochs=lines[-1]["epoch"] + 1,
        steps=len(lines),
        tokens={
            name: round(sum(r.groups.count(g) for epoch in each for r in epoch) / len(each))
            for name, g in GROUPS.items()
        },
        final_loss=_final_loss(lines),
        gradients=_gradients(lines),
        seconds=round(time.monotonic() - start, 3),
        truncated=cuts.cases if cuts else 0,
        lines_cut=cuts.lines if cuts else 0,
        cited_cut=cuts.cited if cuts else 0,
    )
    if processes.first:
        write_text(folder / layout.FIT, result.model_dump_json(indent=1))
        checkpoint.remove()
    return result


def stages(epochs: int, count: int) -> tuple[int, ...]:
    """Epochs of each stage of a fit."""
    first = first_stage(epochs)
    return (first, epochs - first) if count == 2 and epochs > first else (epochs,)


def _each_epoch(rows: Sequence[EncodedRow] | Sequence[Sequence[EncodedRow]]) -> list[Sequence[EncodedRow]]:
    """The rows of every epoch; once where they are the same."""
    if rows and isinstance(rows[0], EncodedRow):
        return [cast(Sequence[EncodedRow], rows)]
    return list(cast(Sequence[Sequence[EncodedRow]], rows))


def _gradients(lines: Sequence[dict[str, float]]) -> Gradients | None:
    """How the gradients of label and rest stood, over the steps on which they were compared."""
    compared = [line for line in lines if "norm_label" in line]
    cosines = [line["cosine"] for line in compared if "cosine" in line]
    if not cosines:
        return None
    return Gradients(
        steps=len(compared),
        cosine=sum(cosines) / len(cosines),
        opposed=sum(c < 0 for c in cosines) / len(cosines),
        norm_label=sum(line["norm_label"] for line in compared) / len(compared),
        norm_others=sum(line["norm_others"] for line in compared) / len(compared),
    )


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
