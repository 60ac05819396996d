"""Label Studio, export type JSON: every control of every submitted form is read, or named as skipped."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from .....study.errors import DataError
from .....study.records import Level
from ..answers import frame
from ..source import Unsettled
from .shapes import LabelStudioForm, LabelStudioTask, check_shape

SKIPPED = {
    "textarea": "free text",
    "datetime": "a date",
    "relation": "a relation",
    "ranker": "a ranking",
    "list": "a ranking",
    "reactcode": "a control of its own making",
    "chat": "a conversation",
}
"""Controls that are not read, and what they hold; whatever marks a place (labels, boxes, brushes) is skipped too."""

PLACES = ("start", "end", "x", "y", "points", "rle", "vertices", "startOffset", "ranges", "sequence", "frame")


class ExportedForm(NamedTuple):
    """One submitted annotation of one task."""

    task: str
    annotation: object
    rater: str
    time: str
    controls: tuple[dict[str, Any], ...]
    reference: bool = False


def is_export(rows: object) -> bool:
    """Tasks with annotations that have results, as Label Studio writes them."""
    return isinstance(rows, list) and any(
        isinstance(t, dict)
        and "annotations" in t
        and ("data" in t or "total_annotations" in t or _has_results(t["annotations"]))
        for t in rows
    )


def _has_results(annotations: object) -> bool:
    return isinstance(annotations, list) and any(isinstance(a, dict) and "result" in a for a in annotations)


def label_studio(tasks: Sequence[Any], name: str) -> Unsettled:
    """The ratings of an export.

    A control of a Repeater (`support_0` for `claim_0`) is one dimension; its tasks are clusters of claims. A list of
    boxes, of which a form holds only the ticked, is a set of labels; left empty it is an empty set.

    Args:
        tasks: as the JSON has them.
        name: of the file, for messages.
    Raises:
        DataError: no forms; a task that is in the export twice with other ratings by the same rater.
    """
    check_shape(LabelStudioTask, [t for t in tasks if isinstance(t, dict)], name)
    submitted = [
        a for t in tasks if isinstance(t, dict) for a in t.get("annotations") or () if isinstance(a, dict)
    ]
    check_shape(LabelStudioForm, submitted, f"{name}, annotation")
    notes: list[str] = []
    forms = _once(_merged(_forms(tasks, notes), tasks, notes), notes)
    skipped: Counter[tuple[str, str]] = Counter()
    boxes = _boxes(forms)
    forms = _without_empty(forms, boxes, notes)
    if not forms:
        raise DataError(f"{name}: no submitted annotations among {len(tasks)} tasks.")
    rows = [row for f in forms for row in _rows(f, forms, boxes, skipped)]
    empty = sum(row.pop("_empty", False) for row in rows)
    if empty:
        notes.append(f"lists of boxes left empty ({empty:,}) count as none ticked: no for each box")
    if not any(not row["_reference"] for row in rows):
        named = ", ".join(f"{n} ({what})" for n, what in skipped) or "none"
        raise DataError(
            f"{name}: no control with ratings. Skipped: {named}. Choices, Rating, Number, Taxonomy, "
            "Pairwise are read."
        )
    reference = [row for row in rows if row.pop("_reference")]
    ratings = frame([row for row in rows if row not in reference]) if reference else frame(rows)
    dimensions = list(dict.fromkeys(ratings["dimension"]))
    return Unsettled(
        name,
        "Label Studio JSON",
        "forms of tasks, one dimension per control",
        ratings,
        {
            "item": "task",
            "rater": "completed_by",
            "rating": ", ".join(dimensions[:12]),
            "order": "created_at",
        },
        dict(skipped.keys()),
        tuple(notes),
        levels=_measurements(forms),
        closed=True,
        reference=_reference(reference),
        cluster_name="task",
        nameless=all(f.rater.startswith("annotation ") for f in forms),
    )


def _measurements(forms: Sequence[ExportedForm]) -> dict[str, Level]:
    """Numbers with fractions that somebody typed are measured, not chosen from steps."""
    typed = [c for f in forms for c in f.controls if c.get("type") == "number" and not _region(c)]
    fractions = [c for c in typed if isinstance(n := (c.get("value") or {}).get("number"), float) and n % 1]
    return {_repeated(*_name(c))[0]: "interval" for c in fractions}


def _reference(rows: list[dict[str, Any]]) -> pd.DataFrame | None:
    return pd.DataFrame(rows)[["item", "dimension", "value", "where"]] if rows else None


def _forms(tasks: Sequence[Any], notes: list[str]) -> list[ExportedForm]:
    """The submitted forms; what is left out is counted."""
    names, left_out = _names(tasks), Counter[str]()
    _note_names(tasks, names, notes)
    submitted: list[tuple[str, dict[str, Any]]] = []
    for t in tasks:
        annotations = t.get("annotations") if isinstance(t, dict) else None
        if not annotations:
            left_out["tasks without annotations"] += 1
            continue
        for a in annotations:
            if not isinstance(a, dict):
                left_out["annotations that are not objects"] += 1
            elif a.get("was_cancelled"):
                left_out["skipped forms"] += 1
            else:
                submitted.append((f"task {t.get('id')}", a))
    nobody = [a for _, a in submitted if a.get("completed_by") is None]
    anonymous = len(nobody) == len(submitted) > 0
    if anonymous:
        notes.append("no annotation says whose it is: raters have no names here")
    only_reference = _only_reference(submitted, names, notes)
    places: Counter[str] = Counter()
    out = []
    for task, a in submitted:
        places[task] += 1
        if a.get("completed_by") is None and not anonymous:
            left_out["annotations without completed_by"] += 1
            continue
        rater = f"annotation {places[task]}" if anonymous else _who(a["completed_by"], names)
        results = a.get("result")
        results = results if isinstance(results, list) else []
        controls = [c for c in results if isinstance(c, dict)]
        left_out["null entries in results"] += len(results) - len(controls)
        out.append(
            ExportedForm(
                task,
                a.get("id"),
                rater,
                str(a.get("created_at") or ""),
                tuple(controls),
                rater in only_reference,
            )
        )
    notes += [f"left out: {n:,} {what}" for what, n in left_out.items() if n]
    return out


def _names(tasks: Sequence[Any]) -> dict[str, str]:
    """Id -> e-mail, where some annotation gives both."""
    people = [
        a["completed_by"]
        for t in tasks
        if isinstance(t, dict)
        for a in t.get("annotations") or ()
        if isinstance(a, dict) and isinstance(a.get("completed_by"), dict)
    ]
    return {str(p["id"]): str(p["email"]) for p in people if p.get("id") is not None and p.get("email")}


def _note_names(tasks: Sequence[Any], names: Mapping[str, str], notes: list[str]) -> None:
    """Say which annotators are given by number here and by e-mail there."""
    by_number = {
        str(a["completed_by"])
        for t in tasks
        if isinstance(t, dict)
        for a in t.get("annotations") or ()
        if isinstance(a, dict) and isinstance(a.get("completed_by"), int | str)
    }
    both = [f"{n} is {names[n]}" for n in sorted(by_number & set(names))]
    if both:
        notes.append(f"annotators given by number and by e-mail are one: {', '.join(both[:6])}")


def _who(completed_by: object, names: Mapping[str, str]) -> str:
    if isinstance(completed_by, dict):
        person = completed_by.get("email") or completed_by.get("id") or completed_by.get("username")
        return names.get(str(person), str(person))
    return names.get(str(completed_by), str(completed_by))


def _only_reference(
    submitted: Sequence[tuple[str, dict[str, Any]]], names: Mapping[str, str], notes: list[str]
) -> set[str]:
    """Annotators all of whose forms are marked as ground truth: they are the reference standard, not raters."""
    marked: dict[str, list[bool]] = {}
    for _, a in submitted:
        if a.get("completed_by") is not None:
            marked.setdefault(_who(a["completed_by"], names), []).append(bool(a.get("ground_truth")))
    only = {rater for rater, marks in marked.items() if all(marks)}
    some = sum(sum(marks) for rater, marks in marked.items() if rater not in only)
    if only == set(marked):
        if only:
            notes.append("every annotation is marked as ground truth (as imports are): the marks are ignored")
        return set()
    if some:
        notes.append(f"{some} annotations of raters are marked as ground truth and count as theirs")
    for rater in sorted(only):
        notes.append(
            f"{rater!r} gave only ground truth ({len(marked[rater])} annotations): the reference, not a rater"
        )
    return only


def _merged(forms: list[ExportedForm], tasks: Sequence[Any], notes: list[str]) -> list[ExportedForm]:
    """Tasks with the same data are one item: a project imported twice, or a copy of the task for each rater."""
    of_data: dict[str, list[str]] = {}
    for t in tasks:
        if isinstance(t, dict) and t.get("data"):
            key = json.dumps(t["data"], sort_keys=True, default=str)
            of_data.setdefault(key, []).append(f"task {t.get('id')}")
    if len(of_data) < 2:
        return forms
    same = {task: group[0] for group in of_data.values() for task in group}
    copies = sum(len(group) - 1 for group in of_data.values())
    if not copies:
        return forms
    notes.append(f"{copies:,} tasks have the data of an earlier task and are taken as the same item")
    return [f._replace(task=same.get(f.task, f.task)) for f in forms]


def _once(forms: list[ExportedForm], notes: list[str]) -> list[ExportedForm]:
    """A form that says again what the same rater said of the same task counts once."""
    kept: dict[tuple[str, str, str], ExportedForm] = {}
    for f in forms:
        content = json.dumps([_content(c) for c in f.controls], sort_keys=True, default=str)
        kept.setdefault((f.task, f.rater, content), f)
    if len(kept) < len(forms):
        notes.append(
            f"{len(forms) - len(kept):,} forms repeat an earlier one of the same rater and count once"
        )
    return list(kept.values())


def _content(control: Mapping[str, Any]) -> list[Any]:
    return [control.get("from_name"), control.get("to_name"), control.get("value")]


def _boxes(forms: Sequence[ExportedForm]) -> dict[str, set[str]]:
    """Lists of boxes, controls in which somebody chose several, and the objects that they are on."""
    several: set[str] = set()
    on: dict[str, set[str]] = {}
    for c in (c for f in forms for c in f.controls if not _region(c)):
        name, to = _name(c)
        chosen = _chosen(c)
        if chosen is not None:
            on.setdefault(name, set()).add(to)
            if len(chosen) > 1:
                several.add(name)
    plain = {_repeated(n, next(iter(on[n])))[0] for n in several}
    return {n: to for n, to in on.items() if _repeated(n, next(iter(to)))[0] in plain}


def _without_empty(
    forms: list[ExportedForm], boxes: Mapping[str, set[str]], notes: list[str]
) -> list[ExportedForm]:
    """Forms that were submitted without any answer: none ticked where there are only boxes, else nothing is said."""
    others = {_name(c)[0] for f in forms for c in f.controls} - set(boxes)
    empty = [f for f in forms if not f.controls]
    if not empty or (boxes and not others):
        return forms
    notes.append(f"left out: {len(empty):,} forms submitted without any answer")
    return [f for f in forms if f.controls]


def _rows(
    f: ExportedForm,
    forms: Sequence[ExportedForm],
    boxes: Mapping[str, set[str]],
    skipped: Counter[tuple[str, str]],
) -> Iterator[dict[str, Any]]:
    """The ratings of a form, the boxes that it left empty among them."""
    for c in f.controls:
        name, to = _name(c)
        value = _value(c, name in boxes)
        if value is None:
            skipped[name or str(c.get("type")), _why(c)] += 1
            continue
        yield _row(f, name, to, value)
    ticked = {_name(c)[0] for c in f.controls}
    shown = {_name(c) for other in forms if other.task == f.task for c in other.controls}
    for name, objects in boxes.items():
        for to in sorted(objects):
            everywhere = _repeated(name, to)[1] is None
            if name not in ticked and (everywhere or (name, to) in shown):
                yield _row(f, name, to, frozenset()) | {"_empty": True}


def _row(f: ExportedForm, name: str, to: str, value: object) -> dict[str, Any]:
    dimension, index = _repeated(name, to)
    return {
        "item": f.task if index is None else f"{f.task} claim {index}",
        "rater": f.rater,
        "value": value,
        "dimension": dimension,
        "cluster": f.task,
        "order": f.time,
        "where": f"{f.task}, annotation {f.annotation}",
        "_reference": f.reference,
    }


def _name(control: Mapping[str, Any]) -> tuple[str, str]:
    return str(control.get("from_name") or ""), str(control.get("to_name") or "")


def _region(control: Mapping[str, Any]) -> bool:
    """The control is about a part of the object: a span, a box, a region."""
    value = control.get("value")
    return isinstance(value, dict) and any(key in value for key in PLACES)


def _chosen(control: Mapping[str, Any]) -> list[str] | None:
    """What was chosen in a control of choices; a single choice may stand without its list."""
    value = control.get("value")
    chosen = value.get("choices") if isinstance(value, dict) else None
    if chosen is None:
        return None
    return [chosen] if isinstance(chosen, str) else [str(x) for x in chosen if x is not None]


def _value(control: Mapping[str, Any], several: bool) -> object:
    """The rating that a control holds: text, or a set of labels; None where it holds none that is read."""
    if _region(control):
        return None
    chosen = _chosen(control)
    if chosen is not None:
        return frozenset(chosen) if several else chosen[0] if chosen else None
    value = control.get("value")
    if not isinstance(value, dict):
        return None
    number = value.get("rating", value.get("number"))
    if number is not None and not isinstance(number, dict | list):
        return str(number)
    if isinstance(paths := value.get("taxonomy"), list):
        return frozenset(" / ".join(map(str, p)) if isinstance(p, list) else str(p) for p in paths)
    return str(value["selected"]) if isinstance(value.get("selected"), str) else None


def _why(control: Mapping[str, Any]) -> str:
    kind = str(control.get("type") or "no type")
    if _region(control):
        return "spans or regions: agreement on places is not supported"
    return SKIPPED.get(kind, f"{kind}: not read")


def _repeated(name: str, to: str) -> tuple[str, int | None]:
    """`support_3` on `claim_3` is claim 3 of `support`; `q_3` on `text` is a control of its own."""
    a, b = re.fullmatch(r"(.+)_(\d+)", name), re.fullmatch(r"(.+)_(\d+)", to)
    if a and b and a[2] == b[2]:
        return a[1], int(a[2])
    return name, None
