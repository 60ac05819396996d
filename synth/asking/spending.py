"""When a job has to stop: its deadline, its budget of money, its budget of tokens."""

import time

from ..ledger.calls import cost
from ..ledger.ledger import Ledger
from ..settings import Asking
from ..teaching import Body

CHARACTERS = 4.0
"""A token of English text; medical words are a little shorter in tokens, numbers a little longer."""
LONGEST = 1000
"""Completion tokens of an answer whose request sets no limit, before the first one is known."""


class Spending:
    """What is spent, what is about to be, and how much may be.

    Args:
        settings: who is asked and for how much.
        ledger: holds what every stored answer took.
        shards: so many share the budget in equal parts, each with a ledger of its own.
    """

    def __init__(self, settings: Asking, ledger: Ledger, shards: int = 1) -> None:
        self._job, self._prices = settings.job, settings.prices
        self._spent, self._shards = ledger.tokens if shards == 1 else ledger.own, shards
        self._first: tuple[float, float] | None = None
        minutes = self._job.deadline_minutes
        self._deadline = time.monotonic() + 60 * minutes if minutes else float("inf")

    @property
    def limited(self) -> bool:
        """Whether there is a budget."""
        return self._job.budget is not None or self._job.budget_tokens is not None

    def late(self) -> str | None:
        """Why nothing more may be sent; None before the deadline."""
        if time.monotonic() < self._deadline:
            return None
        return f"the deadline of {self._job.deadline_minutes:g} minutes has passed"

    def over(self, in_flight: int, body: Body) -> str | None:
        """Why another request may not be sent while so many answers are to come; None where it may.

        Args:
            in_flight: requests without an answer yet.
            body: of the request; until an answer is known, all are taken to be as long as it allows.
        """
        if not self.limited:
            return None
        if in_flight == 0 and self._spent.answers == 0:
            return None  # what an answer takes is learned from the first
        self._first = self._first or _longest(body)
        prompt, completion = self.tokens(in_flight + 1)
        if (
            self._job.budget_tokens is not None
            and prompt + completion > self._job.budget_tokens / self._shards
        ):
            return f"the budget of {self._job.budget_tokens} tokens is spent"
        money = cost(self._prices, prompt, completion)
        if self._job.budget is not None and money is not None and money > self._job.budget / self._shards:
            return f"the budget of {self._job.budget:g} is spent"
        return None

    def tokens(self, to_come: int = 0) -> tuple[float, float]:
        """Prompt and completion tokens of the stored answers, and of so many more at their mean."""
        spent = self._spent
        n = spent.answers
        each = (spent.prompt / n, spent.completion / n) if n else self._first or (0.0, 0.0)
        return spent.prompt + to_come * each[0], spent.completion + to_come * each[1]

    def money(self) -> float | None:
        """Spent so far; None without prices."""
        return cost(self._prices, *self.tokens())


def _longest(body: Body) -> tuple[float, float]:
    """Prompt and completion tokens that a request may take."""
    most = body.get("max_completion_tokens") or body.get("max_tokens") or LONGEST
    return prompt_tokens(body), float(most)


def prompt_tokens(body: Body) -> float:
    """About how many a request has."""
    return sum(len(m["content"]) for m in body.get("messages", ())) / CHARACTERS
