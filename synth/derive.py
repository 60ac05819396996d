"""From the ledger to the stage's files, by pure functions: a better parser or check needs no request."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..study.config import Study
from ..study.records import digest, to_frame, write_jsonl, write_table, write_text
from . import parse, prompts
from .grounding import Facts, ground
from .histories import histories
from .job import cost
from .ledger import Ledger, scan, segments
from .plan import requests, teacher
from .records import Call, Grounding, Planted, Rationale, Refusal
from .settings import Prices, Settings
from .teaching import Body, Request, key


def derive_all(study: Study, settings: Settings, cohort: Path, folder: Path) -> None:
    """Write rationales, groundings, refusals, calls and the summary into the stage's folder."""
    module, options = teacher(settings)
    title = module.title(options)
    rationales: list[Rationale] = []
    groundings: list[Grounding] = []
    refusals: list[Refusal] = _censored(cohort, settings)
    planted: list[Planted] = []
    facts: Facts | None = None
    with Ledger(folder / "ledger") as ledger:
        faults = last_faults(folder / "ledger", ledger)
        for request in requests(study, settings, histories(cohort, settings.splits)):
            if facts is None or facts.case is not request.history.case:
                facts = Facts(request.history)
            name, body = _answer(request, ledger, settings.reask)
            made = judge(request, name, body, title, settings, faults)
            if isinstance(made, Refusal):
                refusals.append(made)
                continue
            rationales.append(made)
            groundings.append(ground(made, facts))
            planted += _planted(made, body)
        calls = list(_calls(folder / "ledger", settings.prices))
        lost = len(ledger.unanswered)
    write_jsonl(folder / "rationales.jsonl", rationales)
    write_jsonl(folder / "groundings.jsonl", groundings)
    write_jsonl(folder / "refusals.jsonl", refusals)
    if planted:
        write_jsonl(folder / "planted.jsonl", planted)
    write_table(folder / "calls.parquet", to_frame(calls, Call), Call)
    summary = _summary(title, settings, rationales, groundings, refusals, calls, lost)
    write_text(folder / "summary.json", json.dumps(summary, indent=1))


def judge(
    request: Request,
    name: str,
    body: Body | None,
    title: str,
    settings: Settings,
    faults: dict[str, tuple[str, str]],
) -> Rationale | Refusal:
    """A rationale, or why there is none."""
    case, about = request.history.case, {"case": request.history.case.id, "style": request.style.name}
    if body is None:
        kind, why = faults.get(name, ("not_asked", "no answer is stored"))
        return Refusal(**about, sample=request.sample, reason=kind, detail=why, key=name)
    answer = parse.read(body, request.style)
    reason, detail = answer.reason, answer.detail
    if reason is None and answer.verdict is None:
        reason, detail = "no_verdict", "the answer names no verdict"
    elif reason is None and settings.label != "hidden" and answer.verdict != case.label:
        reason, detail = "wrong_verdict", f"argues for {answer.verdict}, the outcome is {case.label}"
    if reason is not None:
        return Refusal(**about, sample=request.sample, reason=reason, detail=detail, key=name)
    return Rationale(
        id=digest([case.id, request.style.name, request.sample, name]),
        **about,
        sample=request.sample,
        teacher=title,
        claims=answer.claims,
        verdict=answer.verdict,
        label_shown=request.label is not None,
        key=name,
    )


def _answer(request: Request, ledger: Ledger, reask: int) -> tuple[str, Body | None]:
    """The last answer to a request, with its key: the first readable one, or the last of all."""
    name, body = request.key, ledger.body(request.key)
    for repeat in range(1, reask + 1):
        if body is not None and name not in ledger.unreadable:
            break
        later = key(request.body, repeat)
        if later not in ledger:
            break
        name, body = later, ledger.body(later)
    return name, body


def last_faults(folder: Path, ledger: Ledger) -> dict[str, tuple[str, str]]:
    """The last fault of every request that has no answer."""
    out: dict[str, tuple[str, str]] = {}
    for path in segments(folder):
        for entry, _ in scan(path):
            if entry["e"] == "fault" and entry["k"] not in ledger:
                out[entry["k"]] = (entry["f"], entry["d"])
    return out


def _censored(cohort: Path, settings: Settings) -> list[Refusal]:
    """Cases lost before the horizon ended have no label that could be explained."""
    return [
        Refusal(
            case=h.case.id,
            style=name,
            sample=sample,
            reason="censored",
            detail="lost before the horizon ended",
        )
        for h in histories(cohort, settings.splits)
        if h.case.label is None
        for name in settings.styles
        for sample in range(settings.samples)
    ]


def _planted(rationale: Rationale, body: Body | None) -> list[Planted]:
    kinds = (body or {}).get("planted") or []
    return [Planted(rationale=rationale.id, claim=i, fault=kind) for i, kind in enumerate(kinds) if kind]


def _calls(folder: Path, prices: Prices | None) -> Iterator[Call]:
    """Every attempt that came to an end, in the order of the ledger."""
    for path in segments(folder):
        for entry, _ in scan(path):
            if entry["e"] == "sent":
                continue
            body: Body = entry.get("b") or {}
            usage: dict[str, Any] = body.get("usage") or {}
            prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
            yield Call(
                key=entry["k"],
                attempt=entry["a"],
                status="ok" if entry["e"] == "answer" else entry["f"],
                model=body.get("model") or "",
                prompt_tokens=prompt,
                completion_tokens=completion,
                seconds=entry.get("s"),
                cost=cost(prices, prompt, completion)
                if prompt is not None and completion is not None
                else None,
            )


def _summary(
    title: str,
    settings: Settings,
    rationales: list[Rationale],
    groundings: list[Grounding],
    refusals: list[Refusal],
    calls: list[Call],
    lost: int,
) -> dict[str, Any]:
    claims = [c for g in groundings for c in g.checks]
    tokens = [sum(getattr(c, name) or 0 for c in calls) for name in ("prompt_tokens", "completion_tokens")]
    return {
        "teacher": title,
        "label": settings.label,
        "rationales": len(rationales),
        "by_style": Counter(r.style for r in rationales),
        "refusals": len(refusals),
        "refused": Counter(r.reason for r in refusals),
        "claims": len(claims),
        "supported_claims": sum(c.supported for c in claims),
        "faults": Counter(c.fault for c in claims if c.fault),
        "calls": Counter(c.status for c in calls),
        "possibly_billed_not_received": lost,
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "cost": cost(settings.prices, *tokens),
        "templates": {name: prompts.template_hash(name) for name in settings.styles},
    }
