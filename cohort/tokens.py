"""How many tokens texts have."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..study.errors import StudyError, not_installed

Ints = NDArray[np.int64]


def estimate(texts: Sequence[str]) -> Ints:
    """One token for two characters, line end included: more than byte-pair tokenizers make of such lines.

    >>> estimate(["[E007] age 66.4 (3.6 y before): Stroke"])
    array([20])
    """
    return np.array([len(t) // 2 + 1 for t in texts], dtype=np.int64)


def counter(path: Path | None) -> Callable[[Sequence[str]], Ints]:
    """The tokenizer of the model in use, from its `tokenizer.json`; without one, the estimate.

    Raises:
        StudyError: no tokenizer there.
        MissingPartError: `tokenizers` is not installed.
    """
    if path is None:
        return estimate
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise StudyError(
            f"cohort.timeline.tokenizer: {file}: not found. Give a tokenizer.json or the folder with it."
        )
    try:
        from tokenizers import Tokenizer
    except ImportError as e:
        raise not_installed("cohort.timeline.tokenizer", "the package tokenizers", "train") from e
    tokenizer = Tokenizer.from_file(str(file))

    def count(texts: Sequence[str]) -> Ints:
        coded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return np.array([len(c.ids) + 1 for c in coded], dtype=np.int64)

    return count
