"""A row a rating, or a row a form with several ratings."""

import pandas as pd

from ..header import Columns
from ..kinds import stem
from ..roles import ROLES, RatingRoles
from .shaped import ShapedRatings, check_cells, check_names, joined, no_column, text, unused


def long(c: Columns, name: str, r: RatingRoles) -> ShapedRatings:
    """The ratings of a long table.

    Args:
        c: the columns.
        name: of the file, for messages.
        r: who is what; several columns for `value` are a dimension each.
    Raises:
        DataError: a role without a column, a row without an item or a rater.
    """
    for role in ("item", "rater", "value"):
        if role not in r.of:
            raise no_column(c, name, role)
    used = [column for columns in r.of.values() for column in columns]
    check_cells(c, used, name)
    base = pd.DataFrame(
        {
            "item": joined(c, r.of["item"]),
            "rater": joined(c, r.of["rater"]),
            **{role: text(c, r.one(role)) for role in ("cluster", "group", "order", "replicate")},
            "where": c.lines.astype(object),
        }
    )
    for role in ("item", "rater"):
        check_names(base[role], role, c.lines, name)
    values = _values(c, r, base)
    reference = None
    if (column := r.one("reference")) is not None:
        reference = pd.DataFrame({"item": base["item"], "value": text(c, column), "where": base["where"]})
        if len(r.of["value"]) == 1:
            reference["dimension"] = values["dimension"]
    meaning = {("rating" if role == "value" else role): ", ".join(columns) for role, columns in r.of.items()}
    return ShapedRatings(
        values,
        "long",
        {role: meaning[role] for role in ("item", "rater", "rating", *meaning) if role in meaning},
        unused(c, used),
        r.notes,
        reference=reference,
        cluster_name=stem(r.one("cluster") or "") or "cluster",
    )


def _values(c: Columns, r: RatingRoles, base: pd.DataFrame) -> pd.DataFrame:
    """The rows with their value and dimension; several columns of values one below the other."""
    names, columns = text(c, r.one("dimension")), r.of["value"]
    if len(columns) == 1:
        own = columns[0] if stem(columns[0]) not in ROLES["value"][0] else "value"
        return base.assign(value=text(c, columns[0]), dimension=names.where(names != "", own))
    parts = []
    for column in columns:
        part = base.assign(value=text(c, column))
        part["dimension"] = [f"{n}: {column}" if n else column for n in names]
        part["where"] = [f"{line}, {column}" for line in c.lines]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
