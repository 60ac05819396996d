"""A submitted form: an answer as Label Studio's page sends it, and back.

The page shows the last claim under the Repeater index 0 and claim k (from 1) under k; see `page.py`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from ...study.records import digest
from ..answers import Answer, Mark, Text, TextKind
from ..records import Rubric

TEN = 10
"""Claims in one Repeater: in one with more, pressing 1 would also set claims 10 to 19. Those from 10 on stand in a
second one, which has a key for the first category alone; the others are reached with Tab."""


def claim_at(index: int, n: int) -> int:
    """Which claim (from 0) stands at a Repeater index.

    >>> [claim_at(i, 4) for i in range(4)]
    [3, 0, 1, 2]
    """
    return (index - 1) % n


def index_of(claim: int, n: int) -> int:
    """The Repeater index of a claim.

    >>> [index_of(c, 4) for c in range(4)]
    [1, 2, 3, 0]
    """
    return (claim + 1) % n


def _claim(index: str, n: int) -> int:
    """Which claim a control's index means; what is out of range stays so, and is found at the door."""
    i = int(index) if len(index) == 1 else TEN + int(index[1:])
    return claim_at(i, n) if i < n else i


def write(answer: Answer, n_claims: int) -> list[dict[str, Any]]:
    """An answer as Label Studio's page would submit it."""
    out = []
    for m in answer.marks:
        name, to = _names(m.dimension, m.claim, n_claims)
        out.append(_control(name, to, "choices", {"choices": [m.value]}))
    for t in answer.texts:
        name, to = _names(t.kind, t.claim, n_claims)
        out.append(_control(name, to, "textarea", {"text": [t.text]}))
    return out


def _names(name: str, claim: int | None, n: int) -> tuple[str, str]:
    if claim is None:
        return name, "timeline"
    i = index_of(claim, n)
    index = str(i) if i < TEN else f"1{i - TEN}"  # the same up to 19
    return f"{name}_{index}", f"claim_{index}"


def _control(name: str, to: str, type: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": digest([name, to]), "from_name": name, "to_name": to, "type": type, "value": value}


_NAME = re.compile(r"^([a-z][a-z0-9_]*?)(?:_(\d+))?$")


def read(
    result: Iterable[Mapping[str, Any]], rubric: Rubric, n_claims: int
) -> tuple[tuple[Mark, ...], tuple[Text, ...]]:
    """A submitted form as marks and texts; names and values are as found, and checked by `answers.accept`."""
    marks: list[Mark] = []
    texts: list[Text] = []
    for control in result:
        found = _NAME.match(str(control.get("from_name", "")))
        name, index = found.groups() if found else (str(control.get("from_name", "")), None)
        claim = None if index is None else _claim(index, n_claims)
        value = control.get("value") or {}
        if name in get_args(TextKind):
            texts += [
                Text(kind=cast(TextKind, name), claim=claim, text=t)
                for t in value.get("text") or []
                if t.strip()
            ]
        else:
            chosen = value.get("choices") or [""]
            marks += [Mark(dimension=name, claim=claim, value=str(v)) for v in chosen]
    return tuple(marks), tuple(texts)
