"""doccano: text classification, one file with users or a file a user."""

from collections.abc import Mapping, Sequence
from typing import Any

from .....study.errors import DataError
from ..answers import frame
from ..source import Unsettled
from .shapes import DoccanoExample, check_shape, item_names


def is_doccano(row: Mapping[str, Any]) -> bool:
    """An example with a list of labels, or with annotations of users."""
    labels = row.get("label", row.get("labels", row.get("cats")))
    annotations = row.get("annotations")
    of_users = isinstance(annotations, list) and any(
        isinstance(a, dict) and "label" in a and "user" in a for a in annotations
    )
    return of_users or (isinstance(labels, list) and ("text" in row or "data" in row))


def doccano(rows: Sequence[Mapping[str, Any]], name: str, rater: str | None = None) -> Unsettled:
    """The labels of each example.

    Args:
        rows: the examples.
        name: of the file, for messages.
        rater: who made the file, where the examples do not say.
    Raises:
        DataError: examples that do not say whose the labels are; spans.
    """
    check_shape(DoccanoExample, rows, name)
    ratings: list[dict[str, Any]] = []
    blank = 0
    items = item_names(rows, ("id", "text", "data"), name)
    for number, (item, row) in enumerate(zip(items, rows, strict=True), 1):
        by_user: dict[str, list[Any]] = {}
        for a in row.get("annotations") or ():
            by_user.setdefault(str(a.get("user")), []).append(a.get("label"))
        labels = row.get("label", row.get("labels", row.get("cats")))
        if not by_user and labels is not None:
            if not rater:
                raise DataError(
                    f"{name}: doccano does not write who labelled here. Export the projects of the "
                    "annotators apart and give "
                    "each file: wherefore agree ann.jsonl ben.jsonl."
                )
            by_user = {rater: labels}
        for user, all_given in by_user.items():
            given = [x for x in all_given if x not in (None, "")]
            blank += len(all_given) - len(given)
            if any(isinstance(x, list | dict) for x in given):
                raise DataError(
                    f"{name}:{number}: spans, and agreement on places is not supported. Text classification is."
                )
            ratings.append(
                {"item": item, "rater": user, "value": frozenset(map(str, given)), "where": str(number)}
            )
    if all(len(labels) <= 1 for labels in (r["value"] for r in ratings)):
        ratings = [{**r, "value": next(iter(r["value"]), None)} for r in ratings]
    return Unsettled(
        name,
        "doccano",
        "one line per example",
        frame(ratings),
        {"item": "id", "rater": "user", "rating": "label"},
        notes=(f"left out: {blank:,} labels that are empty",) if blank else (),
        closed=True,
    )
