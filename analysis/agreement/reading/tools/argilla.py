"""Argilla: records with responses, as version 1 and 2 write them, nested or flat."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .....study.errors import DataError
from ..answers import frame
from ..kinds import free_text
from ..source import Unsettled
from .shapes import ArgillaRecord, check_shape, item_names


def is_argilla(row: Mapping[str, Any]) -> bool:
    """A record of Argilla."""
    nested = isinstance(row.get("responses"), list | dict) and (
        "fields" in row or "suggestions" in row or "status" in row
    )
    return nested or any(str(k).endswith(".responses.users") for k in row)


def argilla(rows: Sequence[Mapping[str, Any]], name: str) -> Unsettled:
    """The submitted responses.

    Args:
        rows: the records.
        name: of the file, for messages.
    Raises:
        DataError: no response.
    """
    check_shape(ArgillaRecord, rows, name)
    left_out = 0
    unused: dict[str, str] = {}
    ratings: list[dict[str, Any]] = []
    items = item_names(rows, ("id", "external_id"), name)
    for number, (item, row) in enumerate(zip(items, rows, strict=True), 1):
        for user, question, value, status in _placed(row, f"{name}:{number}"):
            if status not in ("submitted", "", None):
                left_out += 1
                continue
            rating = _value(value)
            if rating is None and value is not None:
                unused[question] = "spans or a ranking: not supported"
                continue
            ratings.append(
                {"item": item, "rater": user, "value": rating, "dimension": question, "where": str(number)}
            )
    for question in {r["dimension"] for r in ratings}:
        texts = [r["value"] for r in ratings if r["dimension"] == question and isinstance(r["value"], str)]
        if texts and free_text(list(dict.fromkeys(texts)), len(texts)):
            unused[question] = "free text"
            ratings = [r for r in ratings if r["dimension"] != question]
    if not ratings:
        raise DataError(f"{name}: no submitted response among {len(rows)} records.")
    return Unsettled(
        name,
        "Argilla records",
        "one record per item, one dimension per question",
        frame(ratings),
        {
            "item": "id",
            "rater": "user_id",
            "rating": ", ".join(dict.fromkeys(r["dimension"] for r in ratings)),
        },
        unused,
        (f"left out: {left_out:,} drafts and discarded responses",) if left_out else (),
        closed=True,
    )


def _placed(row: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, Any, Any]]:
    """`_responses`; an error says where."""
    try:
        yield from _responses(row)
    except DataError as e:
        raise DataError(f"{place}: {e}") from e


def _responses(row: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """(user, question, value, status) of a record."""
    responses = row.get("responses")
    if isinstance(responses, dict):  # version 2: question -> responses
        for question, given in responses.items():
            for r in given or ():
                yield str(r.get("user_id")), str(question), r.get("value"), r.get("status")
    elif isinstance(responses, list):  # version 1: a response a user, with values by question
        for r in responses:
            for question, answer in (r.get("values") or {}).items():
                value = answer.get("value") if isinstance(answer, dict) else answer
                yield str(r.get("user_id")), str(question), value, r.get("status")
    for key in row:
        if str(key).endswith(".responses.users"):
            question = str(key).removesuffix(".responses.users")
            users = row[key] or []
            values, states = (
                row.get(f"{question}.responses{end}") or [None] * len(users) for end in ("", ".status")
            )
            lists = users, values, states
            if not all(isinstance(x, list) for x in lists) or len({len(x) for x in lists}) > 1:
                raise DataError(f"{question}: users, responses and statuses are not lists of one length.")
            for value, user, status in zip(*lists, strict=True):
                yield str(user), question, value, status


def _value(value: Any) -> object:
    if isinstance(value, list):
        return None if any(isinstance(x, dict) for x in value) else frozenset(map(str, value))
    return None if value is None or isinstance(value, dict) else str(value)
