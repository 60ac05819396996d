"""Tables whose columns only one platform writes: REDCap, Mechanical Turk, Potato, Qualtrics made plain."""

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from ....study.errors import DataError
from .header import Columns
from .kinds import kind
from .shapes.shaped import RoleColumns


class Prepared(NamedTuple):
    """A platform's table as a plain one."""

    columns: Columns
    by_role: RoleColumns
    """Roles that the platform itself settles, unless the user says otherwise."""
    closed: bool = False


def prepared(c: Columns, name: str, by_role: RoleColumns) -> Prepared:
    """The table as a plain one, whoever wrote it.

    Args:
        c: the columns.
        name: of the file, for messages.
        by_role: role -> columns, as the user says.
    Raises:
        DataError: nothing tells who rated.
    """
    names = [str(n) for n in c.table.columns]
    for recognised, prepare in PLATFORMS:
        if recognised(names):
            p = prepare(c, name, by_role)
            return p._replace(by_role={**p.by_role, **by_role})
    return Prepared(c, by_role)


def _kept(c: Columns, keep: "pd.Series[bool]", note: str) -> Columns:
    """Some rows, with a note on the others."""
    rows = keep.to_numpy()
    if rows.all():
        return c
    left_out = f"left out: {int((~rows).sum()):,} {note}"
    return c._replace(
        table=c.table[rows].reset_index(drop=True), lines=c.lines[rows], notes=(*c.notes, left_out)
    )


def _is_redcap(names: Sequence[str]) -> bool:
    return any(n.startswith("redcap_") for n in names) or (
        any(re.search(r"___-?\w+$", n) for n in names) and any(n.endswith("_complete") for n in names)
    )


def _redcap(c: Columns, name: str, by_role: RoleColumns) -> Prepared:
    """Boxes become sets, double entry becomes two raters, administration goes."""
    table, notes = c.table.copy(), list(c.notes)
    boxes: dict[str, list[str]] = {}
    for n in map(str, table.columns):
        if m := re.fullmatch(r"(.+)___(-?\w+)", n):
            boxes.setdefault(m[1], []).append(n)
    for field, columns in boxes.items():
        ticked = table[columns].map(
            lambda cell: (cell or "").strip().lower() in ("1", "checked", "yes", "true")
        )
        asked_of = table[columns].map(lambda cell: bool(cell and cell.strip())).any(axis=1)
        labels = [n.rpartition("___")[2] for n in columns]
        table[field] = [
            json.dumps([label for label, t in zip(labels, row, strict=True) if t]) if a else ""
            for row, a in zip(ticked.to_numpy(), asked_of, strict=True)
        ]
        table = table.drop(columns=columns)
        notes.append(f"the {len(columns)} boxes {field}___* are one set of labels")
    done = [n for n in table.columns if re.search(r"_complete$|_timestamp$", str(n))]
    table = table.drop(columns=done)
    first = str(table.columns[0])
    settled: dict[str, tuple[str, ...]] = {"item": (first,)}
    halves = table[first].str.extract(r"^(.*)--([12])$")
    if halves[1].notna().any() and halves[1].notna().all():
        table[first], table["rater"] = halves[0], "entry " + halves[1]
        settled["rater"] = ("rater",)
        notes.append("double data entry: the records --1 and --2 are the two raters")
    c = c._replace(table=table, notes=tuple(notes))
    own = [n for n in table.columns if n != first and not str(n).startswith("redcap_") and n != "rater"]
    filled = table[own].map(lambda cell: bool(cell and cell.strip())).any(axis=1)
    return Prepared(_kept(c, filled, "rows without any answer (other instruments)"), settled)


def _is_mturk(names: Sequence[str]) -> bool:
    return "HITId" in names and "WorkerId" in names


def _mturk(c: Columns, name: str, by_role: RoleColumns) -> Prepared:
    """Answers are the ratings; assignments that were rejected go."""
    if "AssignmentStatus" in c.table:
        c = _kept(c, c.table["AssignmentStatus"] != "Rejected", "rejected assignments")
    if "Answer.taskAnswers" in c.table:
        c = _with_task_answers(c, name)
    answers = [n for n in c.table.columns if str(n).startswith("Answer.")]
    ratings = [n for n in answers if kind(str(n), c.table[n].tolist()) == "rating"]
    return Prepared(c, {"item": ("HITId",), "rater": ("WorkerId",), "value": tuple(ratings)}, closed=True)


def _with_task_answers(c: Columns, name: str) -> Columns:
    """The crowd elements write all answers as JSON into one cell."""
    rows = []
    for line, cell in zip(c.lines, c.table["Answer.taskAnswers"], strict=True):
        try:
            given = json.loads(cell or "[]")
            rows.append({f"Answer.{k}": _crowd(v) for part in given for k, v in part.items()})
        except (ValueError, AttributeError, TypeError) as e:
            raise DataError(f"{name}:{line}: Answer.taskAnswers: not JSON of crowd elements: {e}.") from e
    wide = pd.DataFrame(rows, dtype=object).fillna("")
    return c._replace(table=pd.concat([c.table.drop(columns="Answer.taskAnswers"), wide], axis=1))


def _crowd(value: object) -> str:
    """The option that was chosen, the label of a classifier, or the text."""
    if isinstance(value, dict):
        if "label" in value:
            return str(value["label"])
        if "labels" in value:
            return json.dumps(value["labels"])
        chosen = [str(k) for k, v in value.items() if v is True]
        return chosen[0] if len(chosen) == 1 else json.dumps(chosen)
    return str(value)


def _is_potato(names: Sequence[str]) -> bool:
    return sum(":::" in n for n in names) > 0


def _potato(c: Columns, name: str, by_role: RoleColumns) -> Prepared:
    """A column a label of a schema becomes a column a schema."""
    table = c.table.copy()
    schemas: dict[str, list[str]] = {}
    for n in map(str, table.columns):
        if ":::" in n:
            schemas.setdefault(n.partition(":::")[0], []).append(n)
    for schema, columns in schemas.items():
        labels = [n.partition(":::")[2] for n in columns]
        chosen = [
            [
                label
                for label, cell in zip(labels, row, strict=True)
                if cell and cell.strip() not in ("", "0", "False")
            ]
            for row in table[columns].to_numpy()
        ]
        several = any(len(x) > 1 for x in chosen)
        table = table.drop(columns=columns)
        table[schema] = [json.dumps(x) if several else x[0] if x else "" for x in chosen]
    ratings = [s for s in schemas if kind(s, table[s].tolist()) == "rating"]
    item = next((n for n in ("instance_id", "id") if n in table), str(table.columns[0]))
    return Prepared(c._replace(table=table), {"item": (item,), "value": tuple(ratings)}, closed=True)


def _is_qualtrics(names: Sequence[str]) -> bool:
    return {"StartDate", "RecordedDate", "ResponseId"} <= set(names)


def _qualtrics(c: Columns, name: str, by_role: RoleColumns) -> Prepared:
    """Previews and spam are no answers."""
    if "Status" in c.table:
        real = ~c.table["Status"].fillna("").str.contains("preview|spam|test", case=False)
        c = _kept(c, real, "previews, tests and spam")
    return Prepared(c, {})


PLATFORMS: list[tuple[Callable[[Sequence[str]], bool], Callable[[Columns, str, RoleColumns], Prepared]]] = [
    (_is_mturk, _mturk),
    (_is_potato, _potato),
    (_is_redcap, _redcap),
    (_is_qualtrics, _qualtrics),
]
