"""What a run will take, before it starts."""

from itertools import islice
from pathlib import Path

from .asking.spending import prompt_tokens
from .histories import histories
from .ledger.calls import cost
from .plan import Plan

SAMPLE = 50
"""Cases whose prompts are made to learn their length."""
COMPLETION = 200
"""Tokens of an answer of 40 to 80 words in JSON, without thinking."""


def price(plan: Plan, cohort: Path, total: int) -> str:
    """Tokens and, where the study names prices, money of `total` requests, in words."""
    lengths = [
        prompt_tokens(request.body)
        for history in islice(histories(cohort, plan.settings.splits), SAMPLE)
        for request in plan.about(history)
    ]
    if not lengths:
        return "no case has a label that could be explained"
    prompt, completion = total * sum(lengths) / len(lengths), float(total * COMPLETION)
    money = cost(plan.settings.prices, prompt, completion)
    told = (
        f"about {prompt / 1e6:.2g} M prompt and {completion / 1e6:.2g} M completion tokens (without thinking)"
    )
    return told if money is None else f"{told}, cost about {money:.2f}"
