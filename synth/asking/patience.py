"""When a job has to end because none of its requests can succeed, or none of its answers can be read."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from ..answers.parse import ParsedAnswer
from ..settings import JobSettings
from ..teaching import Fault
from .gate import OUT, EndpointGate

WRONG = {"bad_request": 20, "forbidden": 20, "content_filter": 20, "bad_option": 3}
"""So many requests that an endpoint refuses for one of these reasons, and no answer of it: all of them are."""


class Patience:
    """Counts what goes wrong, and says in one line why the job has to end; None while it need not.

    Args:
        job: its settings.
        read: answers of earlier runs that could be read.
    """

    def __init__(self, job: JobSettings, read: int) -> None:
        self._job, self._read = job, read
        self.faults: Counter[str] = Counter()
        self.answered = 0
        self.started: dict[str, float] = {}
        """When each request in flight was sent."""
        self._unread: list[ParsedAnswer] = []
        self._since: float | None = None
        """When the first fault after the last answer came."""
        self._refusal = ""

    def answer(self, unread: ParsedAnswer | None) -> str | None:
        """An answer came; `unread`: why it cannot be read."""
        self.answered += 1
        self._since = None
        if unread is None:
            self._read += 1
            return None
        if self._read or not self._job.unreadable:
            return None
        self._unread.append(unread)
        if len(self._unread) < self._job.unreadable:
            return None
        return f"{len(self._unread)} answers arrived and none could be read: {why_unread(self._unread)}"

    def fault(self, fault: Fault, gate: EndpointGate, gates: Iterable[EndpointGate]) -> str | None:
        """A request through `gate` had no answer; an endpoint where none can succeed is shut."""
        self.faults[fault.kind] += 1
        self._since = self._since or time.monotonic()
        self._refusal = fault.detail
        if fault.fatal:
            gate.shut = fault.detail
        elif not gate.answers and gate.refused[fault.kind] >= WRONG.get(fault.kind, math.inf):
            n = gate.refused[fault.kind]
            gate.shut = f"{fault.detail.rstrip('.')}. The first {n} requests were all refused in this way."
        still_open = [g for g in gates if not g.shut]
        if gate.shut:
            gate.limiter.close()
        if not still_open:
            return gate.shut
        if not self.answered and not fault.busy:
            few = self._job.attempts if fault.kind == "connection" else max(OUT, self._job.attempts)
            if min(g.failures for g in still_open) >= few:
                return f"{fault.detail}. Start the server or correct synth.teacher.base_url."
        return self.outage()

    def outage(self) -> str | None:
        """Nothing but faults for too long; a request that runs since before the first of them is waited for."""
        minutes = self._job.outage_minutes
        if self._since is None or time.monotonic() - self._since <= 60 * minutes:
            return None
        if any(start < self._since for start in self.started.values()):
            return None
        return f"{self._refusal}, and no answer for {minutes:g} minutes. Run the command again later."


ADVICE = {
    "length": "Raise max_tokens in synth.teacher: thinking counts.",
    "only_thinking": "Raise max_tokens in synth.teacher, or switch off the thinking or the server's parser for it.",
    "empty": "Correct synth.teacher.",
    "template": "The model repeats the prompt: choose a stronger one.",
    "no_sections": "Choose a stronger model, or the style free.",
    "loop": "Choose a stronger model, or another temperature.",
    "refused": "Choose another model.",
    "content_filter": "Choose another model or endpoint.",
}
"""By the reason of most answers."""
OTHERWISE = 'Set structured = "json_object" or "json_schema" in synth.teacher, or choose a stronger model.'
QUOTED = frozenset({"not_json", "no_claims", "refused"})
"""Their detail is the answer's own text, which no message repeats."""


def why_unread(answers: Sequence[ParsedAnswer]) -> str:
    """How many answers have each reason, what the commonest means, and what to do."""
    counts = Counter(answer.reason or "" for answer in answers)
    reason = counts.most_common(1)[0][0]
    detail = next(answer.detail for answer in answers if answer.reason == reason)
    counted = ", ".join(f"{n} {name}" for name, n in counts.most_common())
    counted += "" if reason in QUOTED else f" ({detail})"
    advice = ADVICE.get(reason, OTHERWISE)
    return f"{counted}. {advice} They are stored; set unreadable = 0 in synth.job to continue regardless."
