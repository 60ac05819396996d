"""Ratings from an export of Label Studio, whoever made the project: export type JSON."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....study.errors import DataError
from .answers import Answer, moment


def label_studio(path: Path) -> tuple[list[Answer], str]:
    """Every choice, rating and number of every annotation that was submitted, and what was understood.

    A control of a Repeater (`support_0` for `claim_0`) is one dimension; its tasks are clusters of claims. A list of
    boxes, of which a form holds only the ticked, is a yes-no dimension a box; left empty it is no for each.

    Raises:
        DataError: a file of another kind, or a time that is none.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as e:
        raise DataError(f"{path}: not JSON: {e}.") from e
    if not isinstance(tasks, list) or not all(isinstance(t, dict) and "annotations" in t for t in tasks):
        raise DataError(f"{path}: no Label Studio tasks with annotations. Export as JSON (not JSON-MIN).")
    forms = [
        (t, a) for t in tasks for a in t["annotations"] if not a.get("was_cancelled") and a.get("result")
    ]
    controls = [control for _, a in forms for control in a["result"]]
    several = _several(controls)
    everywhere = {n: to for n, to in map(_names, controls) if n in several and _repeated(n, to)[1] is None}
    answers: list[Answer] = []
    empty = 0
    for task, annotation in forms:
        left = _left_empty(task, annotation, several, everywhere)
        empty += len(left)
        for control in [*annotation["result"], *left]:
            answers += _control(task, annotation, control, several)
    return answers, f"Lists of boxes left empty ({empty:,}) count as no for each box." if empty else ""


def _left_empty(
    task: dict[str, Any],
    annotation: dict[str, Any],
    several: dict[str, list[str]],
    everywhere: dict[str, str],
) -> list[dict[str, Any]]:
    """The lists of boxes that a form has nothing of: those of every task, and those that another form of it has."""
    controls = [c for a in task["annotations"] for c in a.get("result") or ()]
    lists = everywhere | {n: to for n, to in map(_names, controls) if n in several}
    ticked = {n for n, _ in map(_names, annotation["result"])}
    return [{"from_name": n, "to_name": to} for n, to in lists.items() if n not in ticked]


def _names(control: dict[str, Any]) -> tuple[str, str]:
    return str(control.get("from_name", "")), str(control.get("to_name", ""))


def _several(controls: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Choices of the controls where somebody chose more than one: each becomes a yes-no dimension of its own."""
    chosen: dict[str, set[str]] = {}
    many: set[str] = set()
    for c in controls:
        labels = (c.get("value") or {}).get("choices") or []
        chosen.setdefault(c.get("from_name", ""), set()).update(map(str, labels))
        if len(labels) > 1:
            many.add(c.get("from_name", ""))
    return {name: sorted(chosen[name]) for name in many}


def _control(
    task: dict[str, Any], annotation: dict[str, Any], control: dict[str, Any], several: dict[str, list[str]]
) -> Iterator[Answer]:
    value, (name, to) = control.get("value") or {}, _names(control)
    dimension, index = _repeated(name, to)
    item = f"task {task.get('id')}"
    base = Answer(
        item=item if index is None else f"{item} claim {index}",
        rater=_who(annotation.get("completed_by")),
        value=None,
        dimension=dimension,
        cluster=item,
        order=moment(str(annotation.get("created_at") or ""), item),
        where=f"{item}, annotation {annotation.get('id')}",
    )
    if name in several:
        for label in several[name]:
            yes = label in map(str, value.get("choices") or ())
            yield base._replace(dimension=f"{dimension}: {label}", value="yes" if yes else "no")
    elif value.get("choices"):
        yield base._replace(value=str(value["choices"][0]))
    elif (number := value.get("rating", value.get("number"))) is not None:
        yield base._replace(value=str(number))


def _repeated(name: str, to: str) -> tuple[str, int | None]:
    """`support_3` on `claim_3` is claim 3 of `support`; `q_3` on `text` is a control of its own."""
    a, b = re.fullmatch(r"(.+)_(\d+)", name), re.fullmatch(r"(.+)_(\d+)", to)
    if a and b and a[2] == b[2]:
        return a[1], int(a[2])
    return name, None


def _who(completed_by: object) -> str:
    if isinstance(completed_by, dict):
        return str(completed_by.get("email") or completed_by.get("id"))
    return str(completed_by)
