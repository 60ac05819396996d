"""How many tokens a text has."""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ..study.errors import MissingPartError, StudyError

_PIECE = re.compile(r"[A-Za-z]{1,5}|\d|[^\sA-Za-z\d]")


def estimate(text: str) -> int:
    """Pieces of up to five letters, single digits, signs: no fewer than most byte-pair tokenizers make.

    >>> estimate("[E007] age 66.4: Stroke")
    15
    """
    return len(_PIECE.findall(text)) + 1


def counter(path: Path | None) -> Callable[[str], int]:
    """The tokenizer of the model in use, from its `tokenizer.json`; without one, the estimate.

    Raises:
        StudyError: no tokenizer there.
        MissingPartError: `tokenizers` is not installed.
    """
    if path is None:
        return lru_cache(maxsize=1 << 16)(estimate)
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise StudyError(
            f"cohort.timeline.tokenizer: {file}: not there. Give a tokenizer.json or the folder with it."
        )
    try:
        from tokenizers import Tokenizer
    except ImportError as e:
        raise MissingPartError(
            "cohort.timeline.tokenizer needs the package tokenizers: pip install 'wherefore[train]'."
        ) from e
    tokenizer = Tokenizer.from_file(str(file))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids) + 1
