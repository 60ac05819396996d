"""What a teacher is to the job: doors that take one request and give one raw answer, or raise a `Fault`.

A teacher is one file in `synth/teachers/` with

    Options                              its settings, a Record
    title(options) -> str                as it may stand in a report: "openai:gpt-5"
    urls(options) -> tuple[str, ...]     where patient text goes; empty: it stays in this process
    check(options)                       optional: whether what it needs is there, else a StudyError
    body(options, prompt, seed) -> dict  the whole request; what changes an answer stands in it, nothing else does
    doors(options) -> async context manager of a list of Door

or, where requests are handed over by the thousand, `collect(options, requests, ledger, settings, bar)` in place of
`doors`: it fills the ledger by itself and returns why it stopped before the end, or None.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from ..cohort.records import Case, Evidence
from .styles import Style

Body = dict[str, Any]
"""A chat completion request, or the completion itself, as JSON. Every teacher answers in this one shape."""


@dataclass(frozen=True, slots=True)
class History:
    """A case and all its evidence, in order."""

    case: Case
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One question: what is sent, and what it is about."""

    key: str
    body: Body
    history: History
    style: Style
    sample: int
    label: int | None
    """As the teacher is told it; None: it is not."""
    risk: float | None = None
    """Probability of the outcome that the teacher is told in place of the label."""
    late: bool = False
    """Whether the teacher wrote a draft before it was told."""


class Fault(Exception):  # noqa: N818  (a fault is an outcome here, not an error of this package)
    """A request without an answer.

    Args:
        kind: a short name that is counted: `rate_limit`, `server`, `connection`, `timeout`, `broken_body`, ...
        detail: one line, free of keys and patient text.
        again: whether asking again can help.
        busy: the endpoint asks for fewer requests at once.
        wait: seconds that the endpoint asks to wait.
        fatal: no request can succeed (wrong key): the whole job stops with this line.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        *,
        again: bool = True,
        busy: bool = False,
        wait: float | None = None,
        fatal: bool = False,
    ) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail
        self.again, self.busy, self.wait, self.fatal = again, busy, wait, fatal


@dataclass(frozen=True, slots=True)
class Reply:
    """A raw answer."""

    body: Body
    """A chat completion."""
    wait: float | None = None
    """Seconds until the endpoint takes the next request, where it said that this was the last one for now."""


class Door(Protocol):
    """One endpoint of a teacher."""

    async def ask(self, request: Request) -> Reply:
        """The raw answer.

        Raises:
            Fault: there is none.
        """
        ...


def key(body: Body, sample: int = 0, repeat: int = 0) -> str:
    """32 hex digits of the whole request.

    Args:
        body: what is sent.
        sample: which of several answers to the same question.
        repeat: how often it was asked again for an answer that can be read.

    >>> key({"model": "m", "n": 1}) == key({"n": 1, "model": "m"}) != key({"model": "m", "n": 1}, sample=1)
    True
    """
    data = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    data += (b"#%d" % repeat if repeat else b"") + (b"s%d" % sample if sample else b"")
    return hashlib.blake2b(data, digest_size=16, person=b"wherefore-synth").hexdigest()


def again(request: Request, repeat: int) -> Request:
    """The same question asked for the `repeat`-th time after an answer that could not be read, by another seed."""
    if repeat == 0:
        return request
    body = request.body
    if "seed" in body:
        body = {**body, "seed": (body["seed"] + repeat) % 2**31}
    return replace(request, key=key(body, request.sample, repeat), body=body)


def usage(body: Body) -> tuple[int | None, int | None]:
    """Prompt and completion tokens, thinking included; None where the endpoint says nothing usable.

    Some leave thinking out of the completion tokens, and count it in the total or beside it: the larger stands.

    >>> usage({"usage": {"prompt_tokens": 12, "completion_tokens": "many"}}), usage({"usage": [1]})
    ((12, None), (None, None))
    >>> usage({"usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 4100}})
    (1000, 3100)
    """
    counts = _counts(body)
    prompt, completed, total, thinking = (counts[k] for k in ("prompt", "completion", "total", "thinking"))
    if completed is not None and thinking is not None and thinking > completed:
        completed += thinking
    if total is not None and prompt is not None:
        rest = total - prompt
        completed = max(completed, rest) if completed is not None else max(rest, 0)
    elif total is not None and completed is not None:
        prompt = max(total - completed, 0)
    return prompt, completed


def adds_up(body: Body) -> bool:
    """Whether the tokens that an endpoint counts add up to its total, where it gives one.

    >>> adds_up({"usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 4100}})
    False
    """
    counts = _counts(body)
    prompt, completed, total, thinking = (counts[k] for k in ("prompt", "completion", "total", "thinking"))
    if completed is None or prompt is None:
        return True
    return (total is None or prompt + completed == total) and (thinking is None or thinking <= completed)


def _counts(body: Body) -> dict[str, int | None]:
    usage = body.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    details = counts.get("completion_tokens_details") or counts.get("output_tokens_details")
    inside = details if isinstance(details, dict) else counts
    return {
        "prompt": _count(counts.get("prompt_tokens", counts.get("input_tokens"))),
        "completion": _count(counts.get("completion_tokens", counts.get("output_tokens"))),
        "total": _count(counts.get("total_tokens")),
        "thinking": _count(inside.get("reasoning_tokens")),
    }


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 13:
        value = int(value)
    whole = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return int(value) if whole else None  # type: ignore[call-overload]


def completion(content: str, model: str, finish: str = "stop", **more: Any) -> Body:
    """A chat completion for teachers that are no endpoint."""
    message = {"role": "assistant", "content": content}
    return {"model": model, "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}
