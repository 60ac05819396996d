"""A read-out without any answer: logistic regression on what the model has made of the history."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...cohort.records import Case
from ...study.errors import DataError
from ..baselines import ridge
from ..records import Prediction
from .reader import Reader


def embedding(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """Ridge-penalised logistic regression on the mean of the last hidden states over the prompt.

    Fitted on the very cases that the cell is taught with, so under the target `untrained` it is the frozen embedding
    of the study's own base (arXiv 2502.17403).

    Raises:
        DataError: the cell has no labelled training cases of both classes.
    """
    if "probe" not in reader.shared:
        learned = [c for c in reader.learned if c.label is not None]
        y = np.array([c.label for c in learned], dtype=np.int64)
        if len(set(y.tolist())) < 2 or np.bincount(y).min() < 5:
            raise DataError(
                f"train.readouts: embedding needs five training cases of each class, {reader.cell} has fewer."
            )
        reader.shared["probe"] = ridge(_states(reader, learned), y)
    risks = reader.shared["probe"](_states(reader, cases))
    return [reader.prediction("embedding", c, p) for c, p in zip(cases, risks, strict=True)]


def _states(reader: Reader, cases: Sequence[Case]) -> npt.NDArray[np.float64]:
    """(cases, width) mean of the last hidden states over the tokens of each prompt."""
    rows = [reader.prompt(c) for c in cases]
    order, size = sorted(range(len(rows)), key=lambda i: -len(rows[i])), reader.settings.read_batch
    out: list[Any] = [None] * len(rows)
    for start in range(0, len(order), size):
        some = order[start : start + size]
        for i, state in zip(some, _of_batch(reader.model, [rows[i] for i in some]), strict=True):
            out[i] = state
    return np.array(out)


def _of_batch(model: Any, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    """The same for rows of like length, padded on the right, where causal attention does not look."""
    import torch

    from ..fitting.loss import idle

    device, width = next(model.parameters()).device, max(map(len, rows))
    ids = torch.zeros((len(rows), width), dtype=torch.int64, device=device)
    counted = torch.zeros((len(rows), width, 1), device=device)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row, device=device)
        counted[i, : len(row)] = 1
    with torch.inference_mode(), idle(model.get_output_embeddings()) as seen:  # what the head is given
        model(input_ids=ids, use_cache=False)
    states = seen[0].float()
    mean: npt.NDArray[np.float64] = ((states * counted).sum(1) / counted.sum(1)).double().cpu().numpy()
    return mean
