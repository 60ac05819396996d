"""Batched forward passes of a fitted model: label probabilities, and text up to a frame. Longest rows first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...study.progress import Progress
from ..fitting.optimise import inputs, padded


@dataclass(frozen=True)
class Written:
    """What a model wrote."""

    ids: tuple[int, ...]
    """Without the frame that ended it."""
    finished: bool
    """It came to the frame by itself."""


def risks(model: Any, prefixes: Sequence[Sequence[int]], labels: tuple[int, int], batch: int) -> list[float]:
    """P(yes) / (P(no) + P(yes)) for the token behind each prefix, in the order given.

    `labels` are the token ids of (no, yes).
    """
    out = np.full(len(prefixes), np.nan)
    for where, tensors in _sorted_batches(model, prefixes, batch):
        with torch.inference_mode():
            logits = model(**tensors, logits_to_keep=1, use_cache=False).logits[:, -1].float()
        out[where] = torch.sigmoid(logits[:, labels[1]] - logits[:, labels[0]]).cpu().numpy()
    return [float(p) for p in out]


def write(
    model: Any, prefixes: Sequence[Sequence[int]], frame: Sequence[int], most: int, batch: int
) -> list[Written]:
    """Greedy text behind each prefix until `frame`, the end of text, or `most` tokens, in the order given."""
    out: list[Written | None] = [None] * len(prefixes)
    end = model.config.eos_token_id
    ends = set(end if isinstance(end, list) else [end])
    with Progress("train: own rationales", len(prefixes)) as bar:
        for where, tensors in _sorted_batches(model, prefixes, batch):
            with torch.inference_mode():
                rows = _decode(model, tensors, list(frame), ends, most)
            for i, ids in zip(where, rows, strict=True):
                out[i] = _trimmed(ids, list(frame), ends)
            bar.step(len(where))
    return [w for w in out if w is not None]


def _decode(
    model: Any, tensors: dict[str, torch.Tensor], frame: list[int], ends: set[int | None], most: int
) -> list[list[int]]:
    """Greedy decoding with a key-value cache; rows that are done leave the batch when half of it is done."""
    rows: list[list[int]] = [[] for _ in range(len(tensors["input_ids"]))]
    alive = list(range(len(rows)))
    mask, position = tensors["attention_mask"], tensors["position_ids"][:, -1:]
    out = model(**tensors, logits_to_keep=1, use_cache=True)
    cache = out.past_key_values
    going = np.ones(len(rows), dtype=bool)  # of the rows still in the batch
    for _ in range(most):
        tokens = out.logits[:, -1].argmax(dim=-1)
        for k, token in enumerate(tokens.tolist()):
            if going[k]:
                row = rows[alive[k]]
                row.append(token)
                going[k] = token not in ends and row[-len(frame) :] != frame
        if not going.any():
            break
        if going.sum() <= len(going) // 2:
            kept = torch.from_numpy(np.nonzero(going)[0]).to(tokens.device)
            cache.batch_select_indices(kept)
            mask, position, tokens = mask[kept], position[kept], tokens[kept]
            alive = [alive[k] for k in kept.tolist()]
            going = going[going]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        position = position + 1
        out = model(
            input_ids=tokens[:, None], attention_mask=mask, position_ids=position,
            past_key_values=cache, use_cache=True,
        )  # fmt: skip
    return rows


def _trimmed(ids: list[int], frame: list[int], ends: set[int | None]) -> Written:
    if ids[-len(frame) :] == frame:
        return Written(tuple(ids[: -len(frame)]), finished=True)
    if ids and ids[-1] in ends:
        ids = ids[:-1]
    return Written(tuple(ids), finished=False)


def _sorted_batches(
    model: Any, prefixes: Sequence[Sequence[int]], batch: int
) -> Iterator[tuple[list[int], dict[str, torch.Tensor]]]:
    device = str(next(model.parameters()).device)
    order = sorted(range(len(prefixes)), key=lambda i: len(prefixes[i]), reverse=True)
    for k in range(0, len(order), batch):
        where = order[k : k + batch]
        rows = [prefixes[i] for i in where]
        yield where, inputs(padded(rows, 0), padded([[1] * len(r) for r in rows], 0), device)
