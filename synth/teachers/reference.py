"""The built-in teacher: plausible narratives from rules, without a network, a model or a cost.

It picks evidence that fits the answer it was told, and words it accordingly: hindsight, as a real teacher has it.
How much of it is set by `hindsight`.
A seeded share of its claims carries a planted fault; which ones stands in the raw answer and nowhere in the text.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from pydantic import Field

from ...study.records import Record
from ..dial.told import Hint
from ..records import Prompt
from ..reference.narrative import narrative
from ..teaching import Body, Reply, Request, completion

MODEL = "reference-1"
"""Raised when its sentences change, so that old answers keep their keys."""


class Options(Record):
    """Settings of the reference teacher."""

    faults: float = Field(default=0.05, ge=0, le=1)
    """Share of claims with a planted fault."""
    hindsight: float = Field(default=1, ge=0, le=1)
    """How far what it is told decides which findings it picks, how it words them and whether it concludes; 0: it
    writes as if it had not been told, and leaves the conclusion open."""


def title(options: Options) -> str:
    """As it stands in a report."""
    return "reference"


def urls(options: Options) -> tuple[str, ...]:
    """Nothing leaves the process."""
    return ()


def body(options: Options, prompt: Prompt, seed: int) -> Body:
    """The whole request."""
    return {
        "model": MODEL,
        "messages": [m.model_dump() for m in prompt.messages],
        "style": prompt.style,
        "seed": seed,
        "faults": options.faults,
        "hindsight": options.hindsight,
    }


class _Reference:
    async def ask(self, request: Request) -> Reply:
        rng = np.random.default_rng(request.body["seed"])
        body = request.body
        hint = Hint(request.label, request.risk, request.late)
        written = narrative(request.history, request.style, hint, body["faults"], rng, body["hindsight"])
        content = json.dumps(
            {"claims": [s.as_claim() for s in written.statements], "verdict": written.verdict}
        )
        usage = {
            "prompt_tokens": sum(len(m["content"]) for m in body["messages"]) // 4,
            "completion_tokens": len(content) // 4,
        }
        planted = [s.planted for s in written.statements]
        return Reply(completion(content, MODEL, planted=planted, usage=usage))


@asynccontextmanager
async def doors(options: Options) -> AsyncIterator[list[_Reference]]:
    """One door."""
    yield [_Reference()]
