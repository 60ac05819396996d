"""Potato: `annotated_instances.jsonl`, `user_state.json` of each user, and the files that its exporters write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .....study.errors import DataError
from ..answers import frame
from ..source import Unsettled
from ..words import as_number
from .shapes import PotatoRow, check_shape

STATE = ("instance_id_to_label_to_value", "instance_id_to_labeling_state")


def is_potato(row: Mapping[str, Any]) -> bool:
    """A row or a state as Potato writes it."""
    return "label_annotations" in row or any(key in row for key in STATE)


def potato(rows: Sequence[Mapping[str, Any]], name: str, rater: str | None = None) -> Unsettled:
    """The ratings of one or several users.

    Args:
        rows: lines of `annotated_instances.jsonl`, or states.
        name: of the file, for messages.
        rater: who made the file, where the rows do not say.
    Raises:
        DataError: rows that do not say whose they are.
    """
    check_shape(PotatoRow, rows, name)
    ratings: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if not is_potato(row):
            raise DataError(
                f"{name}:{number}: no label_annotations and no state of a user. Remove the record."
            )
        for item, user, schemas, spans in _placed(row, f"{name}:{number}"):
            if spans:
                skipped["span_annotations"] = "spans: agreement on places is not supported"
            who = user or rater
            if not who:
                raise DataError(
                    f"{name}:{number}: no user for item {item!r}. Give the file of each user: wherefore "
                    "agree ann.jsonl ben.jsonl."
                )
            for schema, labels in schemas.items():
                value = _value(schema, labels)
                if value is None:
                    skipped[schema] = "free text or another control that is not read"
                    continue
                ratings.append(
                    {"item": item, "rater": who, "value": value, "dimension": schema, "where": str(number)}
                )
    several = {r["dimension"] for r in ratings if isinstance(r["value"], frozenset) and len(r["value"]) > 1}
    for r in ratings:
        if isinstance(r["value"], frozenset) and r["dimension"] not in several:
            r["value"] = next(iter(r["value"]), None)
    return Unsettled(
        name,
        "Potato",
        "one row per item and user, one dimension per schema",
        frame(ratings),
        {"item": "id", "rater": "user", "rating": ", ".join(dict.fromkeys(r["dimension"] for r in ratings))},
        {n: why for n, why in skipped.items() if n not in {r["dimension"] for r in ratings}},
        closed=True,
    )


def _placed(row: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, Mapping[str, Any], bool]]:
    """`_forms`; an error says where."""
    try:
        yield from _forms(row)
    except DataError as e:
        raise DataError(f"{place}: {e}") from e


def _forms(row: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], bool]]:
    """(item, user, schemas, whether there are spans) of a row or a state."""
    user = str(row.get("user") or row.get("user_id") or row.get("annotator") or "")
    if "label_annotations" in row:
        item = row.get("id", row.get("instance_id"))
        if item is None:
            raise DataError("no id. Mend or remove the record.")
        yield str(item), user, row.get("label_annotations") or {}, bool(row.get("span_annotations"))
        return
    spans = row.get("instance_id_to_span_to_value") or {}
    for item, schemas in next(row[key] for key in STATE if key in row).items():
        yield str(item), user, {s: v.get("labels", v) for s, v in schemas.items()}, bool(spans.get(item))


def _value(schema: str, labels: object) -> object:
    """What was chosen: the labels that hold a sign of yes; of a scale or slider the number it holds."""
    if isinstance(labels, str | int | float) and not isinstance(labels, bool):
        return str(labels)
    if not isinstance(labels, dict):
        return None
    chosen = {str(k): v for k, v in labels.items() if v not in (None, False, "", "false", "False", 0, "0")}
    if "text_box" in chosen or any(isinstance(v, dict | list) for v in chosen.values()):
        return None
    if len(chosen) == 1:
        ((label, value),) = chosen.items()
        number = as_number(str(value))
        if (
            number is not None
            and value is not True
            and as_number(label) is None
            and label not in ("1", "true")
        ):
            named = label.rpartition("_")[2] == str(value) or label in (
                schema,
                "slider",
                "likert",
                "number",
                "value",
                "rating",
            )
            return (
                str(number)
                if named or (number not in (0, 1) and len(label) > 0 and _scale(label, schema))
                else frozenset([label])
            )
    return frozenset(chosen)


def _scale(label: str, schema: str) -> bool:
    """A scale or a slider is stored under one name, with the number beside it."""
    return label.startswith(schema) or label.startswith("scale") or label.startswith("slider")
