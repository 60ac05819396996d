"""A submitted form: an answer as Label Studio's page sends it, and back.

A question about a sentence has its number behind its name, from 1: `support_3` is about the third sentence, and
stands beside `claim_3`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from ...study.records import digest
from ..graded import GradedForm, Mark, Text, TextKind


def write(answer: GradedForm) -> list[dict[str, Any]]:
    """An answer as Label Studio's page would submit it."""
    marks = [_control(m.dimension, m.claim, "choices", {"choices": [m.value]}) for m in answer.marks]
    return marks + [_control(t.kind, t.claim, "textarea", {"text": [t.text]}) for t in answer.texts]


def _control(name: str, claim: int | None, type: str, value: dict[str, Any]) -> dict[str, Any]:
    at = "" if claim is None else f"_{claim + 1}"
    from_name, to_name = f"{name}{at}", "timeline" if claim is None else f"claim{at}"
    id = digest([from_name, to_name])
    return {"id": id, "from_name": from_name, "to_name": to_name, "type": type, "value": value}


_NAME = re.compile(r"^([a-z][a-z0-9_]*?)(?:_(\d+))?$")


def read(result: Iterable[Mapping[str, Any]]) -> tuple[tuple[Mark, ...], tuple[Text, ...]]:
    """A submitted form as marks and texts; names and values are as found, and checked by `answers.accept`."""
    marks: list[Mark] = []
    texts: dict[tuple[TextKind, int | None], list[str]] = {}
    for control in result:
        whole = str(control.get("from_name") or "")
        match = _NAME.match(whole)
        name, number = match.groups() if match else (whole, None)
        claim = None if number is None else int(number) - 1
        value = control.get("value")
        value = value if isinstance(value, Mapping) else {}
        if name in get_args(TextKind):
            texts.setdefault((cast(TextKind, name), claim), []).extend(_strings(value.get("text")))
        else:
            chosen = _strings(value.get("choices")) or [""]
            marks += [Mark(dimension=name, claim=claim, value=v) for v in chosen]
    written = (
        Text(kind=kind, claim=claim, text="\n".join(parts)) for (kind, claim), parts in texts.items() if parts
    )
    return tuple(marks), tuple(written)


def _strings(value: Any) -> list[str]:
    """What was chosen or written: a text is one answer, whether it stands alone or in a list; null is none."""
    values = value if isinstance(value, list | tuple) else [value]
    return [text for v in values if v is not None and (text := str(v).strip())]
