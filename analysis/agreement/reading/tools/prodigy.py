"""Prodigy: lines of `db-out`, with choices or accepted and rejected labels; ignored tasks are ratings not given."""

from collections.abc import Mapping, Sequence
from typing import Any

from .....study.errors import DataError
from ..answers import frame
from ..source import Unsettled
from .shapes import ProdigyTask, check_shape, item_names

ANSWERS = ("accept", "reject", "ignore")
SPANS = "spans: agreement on places is not supported"


def is_prodigy(row: Mapping[str, Any]) -> bool:
    """A task that was answered."""
    return row.get("answer") in ANSWERS and any(
        k in row for k in ("_input_hash", "_task_hash", "_annotator_id", "accept", "_session_id")
    )


def prodigy(rows: Sequence[Mapping[str, Any]], name: str, rater: str | None = None) -> Unsettled:
    """The ratings of one or several annotators.

    Args:
        rows: the lines.
        name: of the file, for messages.
        rater: who made the file, where the lines do not say.
    Raises:
        DataError: lines that do not say whose they are; only spans.
    """
    check_shape(ProdigyTask, rows, name)
    odd = next((i for i, row in enumerate(rows, 1) if row["answer"] not in ANSWERS), None)
    if odd is not None:
        raise DataError(f"{name}:{odd}: answer: {rows[odd - 1]['answer']!r}. Allowed: {', '.join(ANSWERS)}.")
    unused = {}
    choices = any("accept" in row for row in rows)
    several = any(
        len(row.get("accept") or ()) > 1 or (row.get("config") or {}).get("choice_style") == "multiple"
        for row in rows
    )
    if any(row.get("spans") for row in rows) or any("relations" in row for row in rows):
        unused["spans"] = SPANS
    ratings = []
    not_given = ("ignore", "reject") if choices else ("ignore",)
    items = item_names(rows, ("_input_hash", "id", "text", "image", "_task_hash"), name)
    for number, (item, row) in enumerate(zip(items, rows, strict=True), 1):
        who = str(row.get("_annotator_id") or row.get("_session_id") or rater or "")
        if not who:
            raise DataError(
                f"{name}:{number}: neither _annotator_id nor _session_id. Give the file of each annotator."
            )
        answer, value = row.get("answer"), None
        if choices:
            accepted = [str(x) for x in row.get("accept") or ()]
            value = frozenset(accepted) if several else accepted[0] if accepted else None
        elif "label" in row or not unused:
            value = answer
        else:
            continue
        ratings.append(
            {
                "item": item,
                "rater": who,
                "value": None if answer in not_given else value,
                "dimension": str(row.get("label") or "choice"),
                "order": str(row.get("_timestamp") or ""),
                "where": str(number),
            }
        )
    if not ratings:
        raise DataError(
            f"{name}: only spans, and agreement on places is not supported. Choices and labels are read."
        )
    ignored = sum(row.get("answer") == "ignore" for row in rows)
    rejected = sum(row.get("answer") == "reject" for row in rows) if choices else 0
    notes = [
        f"{n:,} {what} tasks are ratings that were not given"
        for n, what in ((ignored, "ignored"), (rejected, "rejected"))
        if n
    ]
    return Unsettled(
        name,
        "Prodigy JSONL",
        "one line per task and annotator",
        frame(ratings),
        {
            "item": "_input_hash, or id or text",
            "rater": "_annotator_id, or _session_id",
            "rating": "accept" if choices else "answer",
        },
        unused,
        tuple(notes),
        categories=_options(rows) if choices and not several else {},
        closed=True,
    )


def _options(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The choices on offer, where every task offers the same."""
    offered = {
        tuple(str(o.get("id", o.get("text"))) for o in row["options"]) for row in rows if row.get("options")
    }
    return {"": next(iter(offered))} if len(offered) == 1 else {}
