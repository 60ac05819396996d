"""The same questions asked of a server that speaks the OpenAI completions protocol (vLLM, SGLang, llama.cpp, …).

Prompts go as token ids, so that the server meets what the fit met. The probability of a class is read from the log
probabilities of the next token; where a class is not among those that the server names, or is several tokens, it is
scored as part of the prompt (`echo`). A server that gives neither leaves the risk missing, never guessed.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import numpy.typing as npt

from ...study.errors import ServiceError
from ...study.loops import loops
from ..encoding.encoder import Encoder
from ..settings import Served
from .writing import NEVER, Stop, TokenSampling, WrittenText

Ids = Sequence[int]
_TOP = 20


@dataclass(frozen=True)
class ServedEngine:
    """Asks a server, as `Engine` asks a model in this process.

    Args:
        served: where it is and what the adapter is called there.
        encoder: of the base.
        model: name of the adapter as it is served.
    """

    served: Served
    encoder: Encoder
    model: str

    def prime(self, rows: Sequence[Ids]) -> None:
        """Nothing: a server keeps its own cache of prefixes."""

    def probabilities(self, rows: Sequence[Ids]) -> npt.NDArray[np.float64]:
        """P(class) behind each row among the classes.

        Raises:
            ServiceError: no answer, or one without the log probabilities that are needed.
        """
        return np.array(self._all(self._classes, rows))

    def write(
        self,
        rows: Sequence[Ids],
        stop: Stop,
        samples: int = 1,
        sampling: TokenSampling | None = None,
        seeds: Sequence[int] | None = None,
    ) -> list[WrittenText]:
        """What the served model writes behind each row, and the probabilities of the classes behind that."""
        first = [i * samples for i in range(len(rows))] if seeds is None else seeds
        jobs = [(row, first[i] + k) for i, row in enumerate(rows) for k in range(samples)]
        return self._all(lambda job: self._written(job[0], job[1], stop, sampling), jobs)

    def _all(self, work: Any, jobs: Sequence[Any]) -> list[Any]:
        with ThreadPoolExecutor(self.served.concurrency) as pool:
            return list(pool.map(work, jobs))

    def _classes(self, row: Ids) -> npt.NDArray[np.float64]:
        tokens = self.encoder.labels.tokens
        scores: list[float | None] = [None] * len(tokens)
        if self.encoder.labels.single:
            named = self._next(row)
            scores = [named.get(t[0]) for t in tokens]
        if any(s is None for s in scores):
            scores = [self._scored(row, t) for t in tokens]
        p = np.exp(np.array(scores, dtype=float) - max(s for s in scores if s is not None))
        return np.asarray(p / p.sum())

    def _next(self, row: Ids) -> dict[int, float]:
        """Log probabilities of the next token by its id, as far as the server names them."""
        body = {"max_tokens": 1, "logprobs": _TOP, "temperature": 0, "return_tokens_as_token_ids": True}
        top = (self._ask(row, body).get("logprobs") or {}).get("top_logprobs") or [{}]
        ids = {self.encoder.decode(t): t[0] for t in self.encoder.labels.tokens}
        out = {}
        for token, value in (top[0] or {}).items():
            number = int(token.removeprefix("token_id:")) if token.startswith("token_id:") else ids.get(token)
            if number is not None:
                out[number] = float(value)
        return out

    def _scored(self, row: Ids, tokens: Ids) -> float:
        """Log probability of some tokens behind a row, read from the prompt itself."""
        body = {"max_tokens": 1, "echo": True, "logprobs": 1, "temperature": 0}
        scores = (self._ask([*row, *tokens], body).get("logprobs") or {}).get("token_logprobs") or []
        values = scores[len(row) : len(row) + len(tokens)]
        if len(values) < len(tokens) or any(v is None for v in values):
            raise ServiceError(
                f"train.served: {self.served.base_url} names no log probability for the label (it needs `logprobs` "
                'or `echo`). Set served.risks = "process".'
            )
        return float(sum(values))

    def _written(self, row: Ids, number: int, stop: Stop, sampling: TokenSampling | None) -> WrittenText:
        body: dict[str, Any] = {"max_tokens": stop.most, "temperature": 0.0}
        body |= {} if stop.frame == NEVER else {"stop": [stop.frame]}
        if sampling is not None:
            body |= {
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "seed": (sampling.seed + number) % 2**31,
            }
        answer = self._ask(row, body)
        text, finished = str(answer["text"]), answer.get("finish_reason") == "stop" and self._framed(answer)
        ids = self.encoder.text_ids(text)
        rest = self.encoder.answer_ids(text)
        return WrittenText(text.strip(), tuple(ids), finished, loops(ids), self._classes([*row, *rest]))

    def _framed(self, answer: dict[str, Any]) -> bool:
        """Whether it was the frame that ended the text; a server that does not say is believed."""
        reason = answer.get("stop_reason", answer.get("matched_stop"))
        return reason is None or isinstance(reason, str)

    def _ask(self, row: Ids, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.served.base_url.rstrip('/')}/completions"
        data = json.dumps({"model": self.model, "prompt": list(row), **body}).encode()
        head = {"Content-Type": "application/json"}
        if token := os.environ.get(self.served.token, ""):
            head["Authorization"] = f"Bearer {token}"
        try:
            with urlopen(Request(url, data, head), timeout=self.served.timeout) as answer:
                choice: dict[str, Any] = json.load(answer)["choices"][0]
                return choice
        except HTTPError as e:
            detail = e.read(300).decode(errors="replace").replace("\n", " ")
            raise ServiceError(f"train.served: {url} answered {e.code}: {detail}") from e
        except (URLError, OSError, ValueError, KeyError, IndexError) as e:
            raise ServiceError(
                f"train.served: {url} gave no completion: {e}. Is the model served there?"
            ) from e
