"""Forward passes of a fitted model: the probabilities of the classes behind a text, and what the model writes.

Rows go through the model in batches, padded on the left. What rows share is computed once: `prime` keeps what the
model made of a batch's prompts, and every later call goes on from the longest beginning that it knows.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..encoding.encoder import Encoder
from .head import float32_head
from .writing import Stop, TokenSampling, WrittenText, decode

Ids = Sequence[int]
Probabilities = npt.NDArray[np.float64]
"""(rows, classes); each row sums to one."""

_SHARED = 48
"""Tokens that all rows of a batch have to share before they are computed once for all of them."""


@dataclass
class CacheState:
    """What the model has made of some rows: its cache, which columns of it count, and the tokens behind them."""

    rows: list[list[int]]
    cache: Any
    mask: torch.Tensor
    """(rows, columns); 0 where a column is padding."""

    def picked(self, which: Sequence[int], lengths: Sequence[int]) -> "CacheState":
        """Some rows of it, each only to its first so many tokens; the state itself stays as it is."""
        index = torch.tensor(which, device=self.mask.device)
        mask = self.mask[index]
        keep = torch.tensor(lengths, device=mask.device)[:, None]
        mask = mask * (mask.cumsum(1) <= keep)
        cache = copy.copy(self.cache)
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        if list(which) != list(range(len(self.rows))):
            for layer in cache.layers:
                layer.batch_select_indices(index)
        return CacheState([self.rows[i][:n] for i, n in zip(which, lengths, strict=True)], cache, mask)


class Engine:
    """A model that is asked about many texts.

    Args:
        model: in evaluation mode.
        encoder: of its base.
        batch: rows at a time.
    """

    def __init__(self, model: Any, encoder: Encoder, batch: int) -> None:
        self.model, self.encoder, self.batch = model, encoder, batch
        self._device = next(model.parameters()).device
        self._trunk: CacheState | None = None
        self._primed: CacheState | None = None
        self.gaps = _may_have_gaps(model, encoder.max_length)

    def prime(self, rows: Sequence[Ids]) -> None:
        """Compute prompts once, for all calls that follow with texts that begin so; at most a batch of rows."""
        self._primed = None
        if self.gaps:
            state, _ = self._forward(rows, self._start(rows), keep=0)
            self._primed = state

    def probabilities(self, rows: Sequence[Ids]) -> Probabilities:
        """P(class) behind each row among the classes, exact also where a class is several tokens."""
        out = np.full((len(rows), len(self.encoder.labels.words)), np.nan)
        for which in self._batches(rows):
            part = [rows[i] for i in which]
            out[which] = self._labels(part, self._start(part))
        return out

    def write(
        self,
        rows: Sequence[Ids],
        stop: Stop,
        samples: int = 1,
        sampling: TokenSampling | None = None,
        seeds: Sequence[int] | None = None,
    ) -> list[WrittenText]:
        """What the model writes behind each row, `samples` times, row by row; greedily where nothing is sampled.

        What is drawn hangs on the row's place, or on its own seed where `seeds` gives one.

        Each comes with the probabilities of the classes behind it: where the model opened its answer, or where the
        frame of the answer was set behind what it had written.
        """
        out: list[WrittenText | None] = [None] * (len(rows) * samples)
        for which in self._batches(rows):
            part = [rows[i] for i in which]
            start = self._start(part)
            state, logits = self._forward(part, start, keep=1)
            if samples > 1:
                repeated = [i for i in range(len(part)) for _ in range(samples)]
                state = state.picked(repeated, [len(part[i]) for i in repeated])
                logits = logits.repeat_interleave(samples, dim=0)
            numbers = [i * samples + k for i in which for k in range(samples)]
            draws = numbers if seeds is None else [seeds[i] + k for i in which for k in range(samples)]
            for number, written in zip(
                numbers, decode(self, state, logits, stop, sampling, draws), strict=True
            ):
                out[number] = written
        return [w for w in out if w is not None]

    def label_probabilities(self, state: CacheState, rests: Sequence[Ids]) -> Probabilities:
        """P(class) behind the rows of a state and their rests; every rest has at least one token."""
        rows = [[*r, *rest] for r, rest in zip(state.rows, rests, strict=True)]
        return self._labels(rows, state)

    def forward(self, state: CacheState, rests: Sequence[Ids], keep: int) -> tuple[CacheState, torch.Tensor]:
        """Go on from a state with more tokens a row; (the state behind them, logits of the last `keep` columns)."""
        width = max(map(len, rests))
        ids = torch.zeros((len(rests), width), dtype=torch.int64, device=self._device)
        new = torch.zeros((len(rests), width), dtype=state.mask.dtype, device=self._device)
        for i, rest in enumerate(rests):
            ids[i, width - len(rest) :] = torch.tensor(rest, dtype=torch.int64)
            new[i, width - len(rest) :] = 1
        mask = torch.cat([state.mask, new], dim=1)
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -width:]
        with torch.inference_mode():
            out = call(
                self.model,
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=state.cache,
                use_cache=True,
                logits_to_keep=max(keep, 1),
            )
        rows = [[*r, *rest] for r, rest in zip(state.rows, rests, strict=True)]
        return CacheState(rows, out.past_key_values, mask), out.logits[:, -max(keep, 1) :]

    def _forward(self, rows: Sequence[Ids], start: CacheState, keep: int) -> tuple[CacheState, torch.Tensor]:
        return self.forward(start, [r[len(s) :] for r, s in zip(rows, start.rows, strict=True)], keep)

    def _labels(self, rows: Sequence[Ids], start: CacheState) -> Probabilities:
        tokens = self.encoder.labels.tokens
        if self.encoder.labels.single and start.mask.shape[1] == 0:
            scores = self._alone(rows, [t[0] for t in tokens])
        elif self.encoder.labels.single:
            with float32_head(self.model, [t[0] for t in tokens]):
                _, logits = self._forward(rows, start, keep=1)
            scores = logits[:, -1].double()
        else:
            scores = torch.stack([self._sequence(rows, start, t) for t in tokens], dim=1)
        probabilities: Probabilities = torch.softmax(scores, dim=1).cpu().numpy()
        return probabilities

    def _alone(self, rows: Sequence[Ids], tokens: Ids) -> torch.Tensor:
        """(rows, tokens) logits behind rows that share no state: padded on the right, so without mask or cache."""
        ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.int64, device=self._device)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
        last = torch.tensor([len(r) - 1 for r in rows], device=self._device)
        places = (torch.arange(len(rows), device=self._device), last)
        with float32_head(self.model, tokens, places), torch.inference_mode():
            return call(self.model, input_ids=ids, use_cache=False).logits[0].double()

    def _sequence(self, rows: Sequence[Ids], start: CacheState, tokens: Ids) -> torch.Tensor:
        """(rows,) log P of some tokens behind each row."""
        state = start.picked(range(len(rows)), [len(r) for r in start.rows])
        with float32_head(self.model):
            _, logits = self._forward([[*r, *tokens[:-1]] for r in rows], state, keep=len(tokens))
        logs = torch.log_softmax(logits.double(), dim=2)
        wanted = torch.tensor(tokens, device=logits.device)[None, :, None].expand(len(rows), -1, 1)
        return logs.gather(2, wanted)[:, :, 0].sum(1)

    def _start(self, rows: Sequence[Ids]) -> CacheState:
        """The state that holds the longest known beginning of each row, one token of each left over."""
        known = self._known(rows)
        return known if known is not None else self._shared(rows)

    def _known(self, rows: Sequence[Ids]) -> CacheState | None:
        """From what was primed; None where a row begins otherwise."""
        if self._primed is None:
            return None
        which, lengths = [], []
        for row in rows:
            common = [min(_common(row, known), len(row) - 1) for known in self._primed.rows]
            best = int(np.argmax(common))
            if common[best] < _SHARED // 2 and common[best] < len(row) // 2:
                return None
            which.append(best)
            lengths.append(common[best])
        return self._primed.picked(which, lengths)

    def _shared(self, rows: Sequence[Ids]) -> CacheState:
        """From the trunk that all rows have in common (demonstrations, instructions), kept from batch to batch."""
        common = min(_common(rows[0], row) for row in rows)
        common = min([common, *(len(row) - 1 for row in rows)])
        if not self.gaps or len(rows) < 2 or common < _SHARED:
            return self._empty(len(rows))
        trunk = self._trunk
        if trunk is None or _common(trunk.rows[0], rows[0]) < min(common, len(trunk.rows[0])):
            trunk, _ = self._forward([list(rows[0][:common])], self._empty(1), keep=0)
            self._trunk = trunk
        length = min(common, len(trunk.rows[0]))
        return trunk.picked([0] * len(rows), [length] * len(rows))

    def _empty(self, rows: int) -> CacheState:
        from transformers import DynamicCache

        mask = torch.zeros((rows, 0), dtype=torch.int64, device=self._device)
        return CacheState([[] for _ in range(rows)], DynamicCache(), mask)

    def _batches(self, rows: Sequence[Ids]) -> Iterator[list[int]]:
        """Numbers of rows of similar length, longest first."""
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        for k in range(0, len(order), self.batch):
            yield order[k : k + self.batch]


def ends(model: Any, encoder: Encoder) -> frozenset[int]:
    """Tokens that end a text: of the model, of its generation settings, and of its conversation."""
    config = model.config.get_text_config(decoder=True)
    configured = [
        getattr(config, "eos_token_id", None),
        getattr(model.generation_config, "eos_token_id", None),
    ]
    flat = [i for x in (*configured, encoder.end) for i in (x if isinstance(x, list) else [x])]
    return frozenset(i for i in flat if i is not None)


def call(model: Any, **inputs: Any) -> Any:
    """The model's forward pass with those of the inputs that it takes."""
    taken = accepted(model)
    return model(**{k: v for k, v in inputs.items() if k in taken or "**" in taken})


def accepted(model: Any) -> frozenset[str]:
    """Names of the arguments of a model's forward pass; `**` where it takes any."""
    import inspect

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    known: frozenset[str] | None = getattr(inner, "_wherefore_accepts", None)
    if known is None:
        parameters = inspect.signature(type(inner).forward).parameters.values()
        known = frozenset(p.name for p in parameters if p.kind is not p.VAR_KEYWORD)
        inner._wherefore_accepts = known
    return known


def _may_have_gaps(model: Any, longest: int) -> bool:
    """Whether padding may stand between tokens: not under a window that is counted in columns."""
    config = model.config.get_text_config(decoder=True)
    windows = [
        getattr(config, key, None) for key in ("sliding_window", "attention_chunk_size", "window_size")
    ]
    return all(not isinstance(w, int) or w >= longest for w in windows)


def _common(a: Ids, b: Ids) -> int:
    """Length of the longest common beginning."""
    n = min(len(a), len(b))
    if list(a[:n]) == list(b[:n]):
        return n
    return next(i for i in range(n) if a[i] != b[i])
