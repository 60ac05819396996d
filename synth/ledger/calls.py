"""What the requests of a ledger were and cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...study.files import writing_table
from ..records import Call
from ..settings import Prices
from ..teaching import Body, adds_up, usage
from .ledger import Ledger, files
from .segment import LedgerSegment

PricedLedger = tuple[Ledger, Prices | None]


@dataclass(slots=True)
class Accounts:
    """Sums over all calls."""

    calls: Counter[str] = field(default_factory=Counter)
    """By status: `ok`, or the kind of fault."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    uneven: int = 0
    """Answers whose tokens do not add up to the total that the endpoint gives; the larger count stands."""
    cost: float | None = 0.0

    def add(self, call: Call, even: bool) -> None:
        """Count one call."""
        self.calls[call.status] += 1
        self.uneven += not even
        self.prompt_tokens += call.prompt_tokens or 0
        self.completion_tokens += call.completion_tokens or 0
        self.cost = (self.cost or 0.0) + (call.cost or 0.0)


def cost(prices: Prices | None, prompt: float, completion: float) -> float | None:
    """Money for tokens; None where the study names no prices.

    >>> cost(Prices(prompt=2.0, completion=10.0), 1_000_000, 100_000)
    3.0
    """
    return None if prices is None else (prompt * prices.prompt + completion * prices.completion) / 1e6


def write_calls(ledgers: Sequence[PricedLedger], path: Path) -> Accounts:
    """Every request that came to an end, in the order of the ledgers, as a table; and the sums."""
    import pyarrow as pa

    text, whole, real = pa.string(), pa.int64(), pa.float64()
    schema = [
        ("key", text),
        ("attempt", whole),
        ("status", text),
        ("model", text),
        ("prompt_tokens", whole),
        ("completion_tokens", whole),
        ("seconds", real),
        ("cost", real),
    ]
    sums = Accounts()
    with writing_table(path, Call, schema) as put:
        for ledger, prices in ledgers:
            ended = (entry for entry in ledger.entries() if entry["e"] in ("answer", "fault"))
            for entry in ended:
                call = _call(entry, prices)
                put(call)
                sums.add(call, adds_up(entry.get("b") or {}))
    if any(prices is None for _, prices in ledgers):
        sums.cost = None  # a sum that lacks a part is none
    return sums


def so_far(folder: Path, prices: Prices | None) -> Accounts:
    """The sums of a ledger that others may be writing now; they lack what is on its way.

    Args:
        folder: of the ledger; one that is not there has cost nothing.
        prices: of its teacher; None: the cost is unknown.
    """
    sums = Accounts()
    for path in files(folder):
        for entry in LedgerSegment(path).scan():
            if entry["e"] in ("answer", "fault"):
                sums.add(_call(entry, prices), even=True)
    if prices is None:
        sums.cost = None
    return sums


def _call(entry: dict[str, Any], prices: Prices | None) -> Call:
    body: Body = entry.get("b") or {}
    prompt, completion = usage(body)
    return Call(
        key=entry["k"],
        attempt=entry["a"],
        status="ok" if entry["e"] == "answer" else entry["f"],
        model=body.get("model") or "",
        prompt_tokens=prompt,
        completion_tokens=completion,
        seconds=entry.get("s"),
        cost=cost(prices, prompt, completion) if prompt is not None and completion is not None else None,
    )
