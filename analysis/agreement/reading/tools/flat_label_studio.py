"""Label Studio, export types JSON-MIN, CSV and TSV: a row a form, controls and data side by side."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from .....study.errors import DataError
from ..answers import frame
from ..kinds import kind
from ..source import Unsettled

META = frozenset(("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"))
SPANS = "spans or regions: agreement on places is not supported"


def is_flat_export(names: Sequence[str]) -> bool:
    """Columns that only these exports have."""
    return {"annotation_id", "annotator", "id"} <= set(names)


def flat_label_studio(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    format: str,
    wanted: Sequence[str] = (),
    places: Sequence[object] = (),
) -> Unsettled:
    """The ratings of a flat export.

    A column that differs between the forms of a task is a control; one that never does is taken as data of the task,
    and named.

    Args:
        rows: the forms.
        name: of the file, for messages.
        format: what kind of file it is.
        wanted: the controls, as the user says; none finds them.
        places: where each row stands.
    Raises:
        DataError: no control can be told from the data.
    """
    table = pd.DataFrame([{k: _cell(v) for k, v in row.items()} for row in rows], dtype=object)
    table = table.where(table.notna(), None)
    others = [c for c in table.columns if c not in META]
    unused = {c: SPANS for c in others if any(v is _SPAN for v in table[c])}
    unused |= {c: "free text" for c in others if c not in unused and _text(table[c], c)}
    free = [c for c in others if c not in unused]
    controls = list(wanted) or [c for c in free if _varies(table, c)]
    if not controls:
        few = [c for c in free if not _like_data(table[c])]
        if len(few) != 1:
            raise DataError(
                f"{name}: no column differs between the forms of a task, so controls cannot be told from data: "
                f"{', '.join(free[:8]) or 'none'}. Say which: --column value=NAME."
            )
        controls = few
    unused |= {c: "the same in every form of a task: data, not a control" for c in free if c not in controls}
    answers = []
    for i, row in enumerate(table.to_dict("records")):
        place = places[i] if places else f"task {row['id']}, annotation {row.get('annotation_id')}"
        for c in controls:
            answers.append(
                {
                    "item": f"task {_text_of(row['id'])}",
                    "rater": _rater(row["annotator"]),
                    "value": row[c],
                    "dimension": c,
                    "order": str(row.get("created_at") or ""),
                    "where": place,
                }
            )
    ratings, notes = _with_empty_sets(frame(answers), controls)
    return Unsettled(
        name,
        format,
        "one row per form, one dimension per control",
        ratings,
        {"item": "id", "rater": "annotator", "rating": ", ".join(controls), "order": "created_at"},
        unused,
        notes,
        closed=True,
        cluster_name="task",
    )


class _Span:
    """A cell that marks places."""


_SPAN = _Span()


def _cell(value: Any) -> Any:
    """Text, a set of labels, or the mark of spans; lists and objects may be written out in a CSV."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return value
    if isinstance(value, dict):
        inner = value.get("choices", value.get("taxonomy", value.get("rating", value.get("number"))))
        return _SPAN if inner is None or "start" in value else _cell(inner)
    if isinstance(value, list):
        if any(isinstance(x, dict) for x in value):
            one = value[0] if len(value) == 1 and isinstance(value[0], dict) else {}
            number = one.get("rating", one.get("number"))
            return _SPAN if number is None else str(number)
        return frozenset(" / ".join(map(str, x)) if isinstance(x, list) else str(x) for x in value)
    return None if value is None or value != value or value == "" else _text_of(value)


def _text_of(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _rater(annotator: Any) -> str:
    return _text_of(annotator).split(" ")[0] if annotator is not None else ""


def _text(cells: "pd.Series[Any]", name: str) -> bool:
    texts = [v for v in cells if isinstance(v, str)]
    return bool(texts) and kind(name, texts) in ("text", "clock", "duration")


def _varies(table: pd.DataFrame, column: str) -> bool:
    """Two forms of one task differ in the column."""
    cells = table[column].map(
        lambda v: "" if v is None else str(sorted(v)) if isinstance(v, frozenset) else str(v)
    )
    return bool((cells.groupby(table["id"].astype(str)).nunique() > 1).any())


def _like_data(cells: "pd.Series[Any]") -> bool:
    """Nearly every task has its own."""
    texts = [str(v) for v in cells if v is not None]
    return not texts or len(set(texts)) > max(20, 0.3 * len(texts))


def _with_empty_sets(ratings: pd.DataFrame, controls: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Boxes of which none was ticked leave no cell: an empty set."""
    of_sets = {
        c
        for c in controls
        if any(isinstance(v, frozenset) for v in ratings.loc[ratings["dimension"] == c, "value"])
    }
    empty = ratings["dimension"].isin(of_sets) & ratings["value"].isna()
    if not empty.any():
        return ratings, ()
    values = [frozenset() if e else v for v, e in zip(ratings["value"], empty, strict=True)]
    note = f"lists of boxes left empty ({int(empty.sum()):,}) count as none ticked: no for each box"
    return ratings.assign(value=pd.Series(values, index=ratings.index, dtype=object)), (note,)
