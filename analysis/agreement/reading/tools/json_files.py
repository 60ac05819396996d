"""JSON and JSON lines: which tool wrote them, or a table of records."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .....study.errors import DataError
from ..cells import Sheet, decode
from ..source import RatingReadSettings, Unsettled
from . import argilla, doccano, flat_label_studio, label_studio, potato, prodigy

RUN_FOLDER = frozenset(("item", "rationale", "case", "rater", "dimension", "value"))
"""Keys of a study's ratings.jsonl."""


def load(path: Path, encoding: str | None = None) -> Any:
    """The content of a JSON file, or the list of the values of JSON lines.

    Raises:
        DataError: neither, with the line.
    """
    text, _, _ = decode(path, encoding)
    if not text.strip():
        raise DataError(f"{path}: the file is empty.")
    try:
        return json.loads(text)
    except json.JSONDecodeError as e:
        whole, fault = e, e
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as e:
                fault = e
                if not rows:  # the first line is no JSON either: the file is one broken document
                    raise DataError(f"{path}:{whole.lineno}: not JSON: {whole.msg}.") from whole
                raise DataError(f"{path}:{number}: not JSON: {fault.msg}.") from e
    return rows


def recognised(
    content: Any, name: str, settings: RatingReadSettings, rater: str | None = None
) -> Unsettled | Sheet:
    """The ratings of a tool's file, or the cells of a table of records.

    Args:
        content: of the file.
        name: of the file, for messages.
        settings: what the user says about it.
        rater: who made the file, where it does not say.
    Raises:
        DataError: content that is no ratings.
    """
    if isinstance(content, dict) and (label_studio.is_export([content]) or potato.is_potato(content)):
        content = [content]
    if label_studio.is_export(content):
        return label_studio.label_studio(content, name)
    rows = [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []
    if rows and len(rows) < len(content):
        raise _no_object(content, name)
    if rows:
        first = rows[0]
        if flat_label_studio.is_flat_export(list(first)):
            controls = settings.columns.get("value", ())
            return flat_label_studio.flat_label_studio(rows, name, "Label Studio JSON-MIN", controls)
        if potato.is_potato(first):
            return potato.potato(rows, name, rater)
        if any(prodigy.is_prodigy(row) for row in rows[:20]):
            return prodigy.prodigy(rows, name, rater)
        if argilla.is_argilla(first):
            return argilla.argilla(rows, name)
        if doccano.is_doccano(first) and "rater" not in first:
            return doccano.doccano(rows, name, rater)
    return records(content, name)


def records(content: Any, name: str) -> Sheet:
    """The cells of a table that is written as JSON.

    Records `[{"item": ..}, ..]`, columns `{"item": [..], ..}`, rows `[[..], ..]`, items by raters
    `{"i1": {"Ann": 3}}`, and any of these under a key of their own.

    Raises:
        DataError: something else.
    """
    if isinstance(content, dict) and isinstance(content.get("columns"), list) and "data" in content:
        rows = [[str(c) for c in content["columns"]], *content["data"]]  # pandas: orient="split"
        return _sheet(rows, "JSON table")
    if isinstance(content, dict):
        inner = [v for v in content.values() if isinstance(v, list | dict)]
        lists = [v for v in inner if isinstance(v, list)]
        if len(lists) == len(content) > 1 and len({len(v) for v in lists}) == 1:
            return _sheet([[str(k) for k in content], *map(list, zip(*lists, strict=True))], "JSON columns")
        if inner and all(isinstance(v, dict) for v in content.values()):
            return _sheet(_nested(content), "JSON, one object per item")
        if len(lists) == 1:
            return records(lists[0], name)
        raise DataError(f"{name}: no ratings recognised. Give a list of records with item, rater and value.")
    if not isinstance(content, list) or not content:
        raise DataError(f"{name}: no ratings recognised. Give a list of records with item, rater and value.")
    if all(isinstance(row, list) for row in content):
        width = max(map(len, content))
        named = all(isinstance(c, str) for c in content[0])
        header = [] if named else [["", *(f"rater_{i + 1}" for i in range(width))]]
        body = content if named else [[f"row {i + 1}", *row] for i, row in enumerate(content)]
        return _sheet([*header, *body], "JSON rows")
    if not all(isinstance(row, dict) for row in content):
        raise _no_object(content, name)
    flat = [_flat(row) for row in content]
    names = list(dict.fromkeys(k for row in flat for k in row))
    return _sheet([names, *([row.get(k) for k in names] for row in flat)], "JSON records")


def _no_object(content: Sequence[Any], name: str) -> DataError:
    """The error for the first record that is not an object."""
    bad = next(i for i, row in enumerate(content, 1) if not isinstance(row, dict))
    return DataError(
        f"{name}: record {bad} is not an object. Give a list of records with item, rater and value."
    )


def _nested(content: Mapping[str, Any]) -> list[list[Any]]:
    header = list(dict.fromkeys(k for row in content.values() for k in row))
    return [["item", *header], *([item, *(row.get(k) for k in header)] for item, row in content.items())]


def _flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Objects inside a record become columns of their own: `labels.grade`."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            out |= _flat(value, f"{name}.")
        else:
            out[name] = value
    return out


def _sheet(rows: Sequence[Sequence[Any]], format: str) -> Sheet:
    return Sheet([[_text(v) for v in row] for row in rows], list(range(len(rows))), format)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
