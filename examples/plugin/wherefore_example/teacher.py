"""A teacher: quotes the lines that name a known risk factor, or else the latest line. No model, no network."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wherefore.study.records import Record
from wherefore.synth.records import Prompt
from wherefore.synth.teaching import Body, Reply, Request, completion


class Options(Record):
    """`[synth] teacher = { name = "risk_factors", words = ["hypertension"] }`."""

    words: tuple[str, ...] = ("hypertension", "diabetes", "stroke")
    """A line that holds one of them is cited."""


def title(options: Options) -> str:
    """As it stands in a report."""
    return "risk factors by name"


def urls(options: Options) -> tuple[str, ...]:
    """Where patient text goes: nowhere."""
    return ()


def body(options: Options, prompt: Prompt, seed: int) -> Body:
    """The whole request. The ledger files an answer under it, so whatever changes the answer belongs in it."""
    messages = [m.model_dump() for m in prompt.messages]
    return {"model": "risk-factors-1", "words": list(options.words), "messages": messages, "seed": seed}


class _Door:
    async def ask(self, request: Request) -> Reply:
        words, evidence = request.body["words"], request.history.evidence
        cited = [e for e in evidence if any(w in e.name.lower() for w in words)][:3] or evidence[-1:]
        claims = [
            {"kind": "finding", "text": f"The record shows {e.name.lower()}.", "evidence": [e.id]}
            for e in cited
        ]
        content = json.dumps({"claims": claims, "verdict": request.label or 0})
        return Reply(completion(content, request.body["model"]))


@asynccontextmanager
async def doors(options: Options) -> AsyncIterator[list[_Door]]:
    """The endpoints that requests are spread over; one is enough here."""
    yield [_Door()]
