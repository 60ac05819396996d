"""torch and transformers, imported when they are needed and kept quiet."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...study.errors import not_installed


def libraries() -> tuple[Any, Any]:
    """(torch, transformers).

    Raises:
        MissingPartError: one of them is not installed.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        import transformers
    except ImportError as e:
        raise not_installed("train", str(e.name), "train") from e
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return torch, transformers


@contextmanager
def peft_quiet() -> Iterator[None]:
    """Without the warning that peft causes by asking transformers for a property that is being renamed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        yield
