"""When a job has to stop: its deadline, its budget of money, its budget of tokens."""

import time

from .calls import cost
from .ledger import Ledger
from .settings import Asking

GUESS = (1500.0, 400.0)
"""Prompt and completion tokens of an answer, before the first one is known."""


class Spending:
    """What is spent, what is about to be, and how much may be.

    Args:
        settings: of the stage.
        ledger: holds what every stored answer took.
    """

    def __init__(self, settings: Asking, ledger: Ledger) -> None:
        self._job, self._prices, self._ledger = settings.job, settings.prices, ledger
        minutes = self._job.deadline_minutes
        self._deadline = time.monotonic() + 60 * minutes if minutes else float("inf")

    def over(self, in_flight: int) -> str | None:
        """Why nothing more may be sent while so many answers are still to come; None where it may."""
        if time.monotonic() > self._deadline:
            return f"the deadline of {self._job.deadline_minutes:g} minutes is over"
        if self._job.budget_tokens is None and self._job.budget is None:
            return None
        prompt, completion = self.tokens(in_flight)
        if self._job.budget_tokens is not None and prompt + completion > self._job.budget_tokens:
            return f"the budget of {self._job.budget_tokens} tokens is spent"
        money = cost(self._prices, prompt, completion)
        if self._job.budget is not None and money is not None and money > self._job.budget:
            return f"the budget of {self._job.budget:g} is spent"
        return None

    def tokens(self, in_flight: int = 0) -> tuple[float, float]:
        """Prompt and completion tokens of the stored answers, and of so many more at their mean."""
        ledger, n = self._ledger, len(self._ledger)
        each = (ledger.prompt_tokens / n, ledger.completion_tokens / n) if n else GUESS
        return ledger.prompt_tokens + in_flight * each[0], ledger.completion_tokens + in_flight * each[1]

    def money(self) -> float | None:
        """Spent so far; None without prices."""
        return cost(self._prices, *self.tokens())
