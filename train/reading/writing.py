"""How a model writes: greedily or by chance, until it opens its answer, ends, loops, or has written enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from ...study.loops import loops

NEVER = "\0\0"
"""A frame that nobody writes: the text ends for another reason."""

if TYPE_CHECKING:
    from .engine import CacheState, Engine


@dataclass(frozen=True)
class Stop:
    """When a text is at its end."""

    frame: str
    """What stands between reasons and label."""
    ends: frozenset[int]
    """Tokens that end a text."""
    most: int
    """Tokens at the most."""
    loops: bool = True
    """A text that only repeats itself is stopped."""


@dataclass(frozen=True)
class TokenSampling:
    """How tokens are drawn. The same row draws the same, whatever else is in its batch."""

    temperature: float
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class WrittenText:
    """What a model wrote."""

    text: str
    """Without the frame of the answer."""
    ids: tuple[int, ...]
    """As it was written, with what ended it."""
    finished: bool
    """It came to the frame by itself."""
    looped: bool
    """It was stopped because it only repeated itself."""
    probabilities: npt.NDArray[np.float64]
    """Of the classes behind it and the frame."""

    @property
    def risk(self) -> float:
        """Probability of the last class."""
        return float(self.probabilities[-1])


def decode(
    engine: "Engine",
    state: "CacheState",
    logits: torch.Tensor,
    stop: Stop,
    sampling: TokenSampling | None,
    numbers: Sequence[int],
) -> list[WrittenText]:
    """Write behind every row of a state; rows that are at their end leave once half of those in the batch are.

    Args:
        engine: for the forward passes.
        state: behind the prompts.
        logits: (rows, 1, vocabulary), of the next token.
        stop: when a row is at its end.
        sampling: None: the likeliest token each time.
        numbers: of the rows among all that are asked, for their seeds.
    """
    rows = [_Row(stop, engine) for _ in numbers]
    draws = [_draw(sampling, n) for n in numbers]
    alive = list(range(len(rows)))  # places in `rows` of those that are still in the batch
    starts = [len(r) for r in state.rows]
    out: list[WrittenText | None] = [None] * len(rows)
    for _ in range(stop.most):
        tokens = _next(logits[:, -1], sampling, [draws[i] for i in alive])
        for i, token in zip(alive, tokens, strict=True):
            if not rows[i].done:
                rows[i].add(token)
        done = [k for k, i in enumerate(alive) if rows[i].done]
        if len(done) == len(alive):
            break
        if len(done) >= len(alive) / 2:
            _close(engine, state, rows, alive, done, starts, out)
            left = [k for k in range(len(alive)) if k not in done]
            state = state.picked(left, [len(state.rows[k]) for k in left])
            alive, tokens = [alive[k] for k in left], [tokens[k] for k in left]
        state, logits = engine.forward(state, [[t] for t in tokens], keep=1)
    _close(engine, state, rows, alive, range(len(alive)), starts, out)
    return [w for w in out if w is not None]


class _Row:
    """What one row has written, and whether it is at its end."""

    def __init__(self, stop: Stop, engine: "Engine") -> None:
        self._stop, self._decode = stop, engine.encoder.decode
        self._window = 2 * len(stop.frame) + 2  # tokens: every one of them is a character at least
        self.ids: list[int] = []
        self.finished = self.ended = self.looped = False

    @property
    def done(self) -> bool:
        return self.finished or self.ended or self.looped or len(self.ids) >= self._stop.most

    def add(self, token: int) -> None:
        self.ids.append(token)
        self.finished = self._decode(self.ids[-self._window :]).endswith(self._stop.frame)
        self.ended = token in self._stop.ends and not self.finished
        self.looped = self._stop.loops and not self.finished and loops(self.ids)

    def kept(self) -> list[int]:
        """The ids without a token that ended the text."""
        return self.ids[:-1] if self.ended else self.ids


def _close(
    engine: "Engine",
    state: "CacheState",
    rows: list[_Row],
    alive: list[int],
    which: Any,
    starts: list[int],
    out: list[WrittenText | None],
) -> None:
    """Read the classes behind rows that are at their end.

    The last token of a row is not in the cache yet. Where the frame of the answer has to be set behind it, its text
    and the frame are encoded together, as they are in the texts that are taught.
    """
    places = list(which)
    if not places:
        return
    encoder = engine.encoder
    rests, lengths = [], []
    for k in places:
        row = rows[alive[k]]
        if row.finished:
            rest, seen = row.ids[-1:], len(row.ids) - 1
        else:
            kept = row.kept()
            rest, seen = encoder.answer_ids(encoder.decode(kept[-1:])), max(len(kept) - 1, 0)
        rests.append(rest)
        lengths.append(starts[alive[k]] + seen)
    if engine.gaps:
        probabilities = engine.label_probabilities(state.picked(places, lengths), rests)
    else:
        seen_rows = [state.rows[k][:n] for k, n in zip(places, lengths, strict=True)]
        probabilities = engine.probabilities([[*a, *b] for a, b in zip(seen_rows, rests, strict=True)])
    for k, p in zip(places, probabilities, strict=True):
        row = rows[alive[k]]
        text = encoder.decode(row.kept())
        text = text[: text.rindex(row._stop.frame)] if row.finished else text
        out[alive[k]] = WrittenText(text.strip(), tuple(row.ids), row.finished, row.looped, p)


def _draw(sampling: TokenSampling | None, number: int) -> np.random.Generator:
    return np.random.default_rng([sampling.seed if sampling else 0, number])


def _next(
    logits: torch.Tensor, sampling: TokenSampling | None, draws: Sequence[np.random.Generator]
) -> list[int]:
    """(rows,) the next token of each row; every row draws once a step, done or not."""
    if sampling is None:
        return [int(i) for i in logits.argmax(dim=-1)]
    p, order = torch.softmax(logits.float() / sampling.temperature, dim=-1).sort(dim=-1, descending=True)
    before = p.cumsum(-1) - p
    p = p * (before < sampling.top_p)
    edges = p.cumsum(-1).double()
    u = torch.tensor([[d.random()] for d in draws], dtype=torch.float64, device=logits.device) * edges[:, -1:]
    place = (edges <= u).sum(-1).clamp(max=logits.shape[-1] - 1)
    return [int(i) for i in order.gather(1, place[:, None])[:, 0]]
