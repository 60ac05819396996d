"""What a study has spent on its teacher, while the stage is running and afterwards."""

import json
from pathlib import Path
from typing import Any

from ..study import layout
from ..study.config import Study
from .ledger.calls import so_far
from .settings import Settings

NAMES = ("requests", "prompt_tokens", "completion_tokens", "cost")


def spent(study: Study, home: Path) -> dict[str, Any]:
    """Requests, tokens and money so far; without what is none, and without money where the study names no prices.

    Once the stage has finished its account is quoted; until then the ledgers of teacher and verifier are added up.
    """
    summary = layout.SYNTH_SUMMARY.at(home)
    if summary.exists():
        data: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
        return {name: data[name] for name in NAMES if data.get(name)}
    settings = study.section("synth", Settings)
    sums = [so_far(home / "synth" / "ledger", settings.prices)]
    if settings.verifier:
        sums.append(so_far(home / "synth" / "verifier", settings.verifier.prices))
    costs = [s.cost for s in sums]
    totals = {
        "requests": sum(s.calls.total() for s in sums),
        "prompt_tokens": sum(s.prompt_tokens for s in sums),
        "completion_tokens": sum(s.completion_tokens for s in sums),
        "cost": None if None in costs else round(sum(c for c in costs if c), 6),
    }
    return {name: value for name, value in totals.items() if value}
