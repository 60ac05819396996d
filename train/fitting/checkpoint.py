"""The state of a fit on disk: killed at any moment, it goes on from the last one to the same weights.

One file, written beside and moved into place: what is trained, the optimiser's moments, the random state, and the
metrics so far. The order of batches needs no place in it, since it hangs on the seed alone.
"""

import os
import time
from pathlib import Path
from typing import Any

import torch

from .optimise import Line


class Checkpoint:
    """Keeps the state of one fit.

    Args:
        path: of the file.
        key: of everything that makes the fit; a file with another key is not read.
        seconds: between two writes; 0: after every step.
        writes: whether this process is the one that writes.
    """

    def __init__(self, path: Path, key: str, seconds: float, writes: bool = True) -> None:
        self._path, self._key, self._seconds, self._writes = path, key, seconds, writes
        self._last = time.monotonic()

    def resume(self, parameters: list[Any], optimiser: Any) -> list[Line]:
        """Put everything back; the lines of the steps that are done, none where there is no such file."""
        if not self._path.exists():
            return []
        state = torch.load(self._path, weights_only=True)
        if state["key"] != self._key:
            return []
        with torch.no_grad():
            for p, kept in zip(parameters, state["parameters"], strict=True):
                p.copy_(kept)
        optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        if state["random_gpu"]:
            torch.cuda.set_rng_state_all(state["random_gpu"])
        lines: list[Line] = state["lines"]
        return lines

    def after(self, lines: list[Line], parameters: list[Any], optimiser: Any) -> None:
        """Write, where the last time is long enough ago."""
        if not self._writes or time.monotonic() - self._last < self._seconds:
            return
        state = {
            "key": self._key,
            "lines": lines,
            "parameters": [p.detach() for p in parameters],
            "optimiser": optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "random_gpu": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        part = self._path.with_name(self._path.name + ".part")
        with part.open("wb") as f:
            torch.save(state, f)
            f.flush()
            os.fsync(f.fileno())
        part.replace(self._path)
        self._last = time.monotonic()

    def remove(self) -> None:
        """The fit is done."""
        self._path.unlink(missing_ok=True)
