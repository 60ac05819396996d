"""One claim against one history, for whoever has a sentence and no run folder."""

from collections.abc import Mapping
from typing import Any

from ...cohort.records import Case, Evidence
from ..records import Check, Claim
from ..teaching import History
from .checks import HistoryFacts, check


def check_claim(claim: Claim | Mapping[str, Any], history: History | Mapping[str, Any]) -> Check:
    """Whether a history bears out a claim.

    Args:
        claim: or a mapping of its fields: `text`, `cites`, `kind`, `section`.
        history: or a mapping that `history_of` takes.

    >>> line = {"id": "E001", "kind": "condition", "name": "Cerebral infarction", "age": 69.5, "years_before": 4.5}
    >>> check_claim({"text": "Stroke at 69.5.", "cites": ["E001"]}, {"age": 74.0, "lines": [line]}).verdict
    'supported'
    """
    one = claim if isinstance(claim, Claim) else Claim.model_validate(dict(claim))
    whole = history if isinstance(history, History) else history_of(history)
    return check(0, one, HistoryFacts(whole))


def history_of(data: Mapping[str, Any]) -> History:
    """A history from plain data.

    Args:
        data: `age` at the prediction time in years, `sex` (`female`, `male` or None), and `lines`, each with the
            fields of `Evidence`: `id` and `name` at least; `kind`, `code`, `system`, `age`, `years_before`, `value`,
            `unit`, `count`, `shown` where they are known. Other keys (`label`, a name) are not read.
    Raises:
        pydantic.ValidationError: a line has an unknown field or a wrong value.
    """
    lines = tuple(Evidence.model_validate({**DEFAULTS, **line}) for line in data["lines"])
    shown = [e for e in lines if e.shown]
    case = Case(
        id="",
        subject="",
        split="held_out",
        age=data["age"],
        sex=data.get("sex"),
        day=0,
        label=None,
        weight=0,
        outcome="censored",
        followup_years=0,
        timeline="\n".join(e.line for e in shown),
        n_shown=len(shown),
        n_total=len(lines),
    )
    return History(case, lines)


DEFAULTS: dict[str, Any] = {
    "case": "",
    "kind": "observation",
    "age": None,
    "years_before": None,
    "code": "",
    "system": "",
    "shown": True,
    "line": "",
    "source": "",
}
