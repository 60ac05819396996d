"""Which shape a table has: said, or found; where two would do, asked."""

from .....study.errors import DataError
from ..header import Columns
from ..roles import RatingRoles, roles
from .counts import contingency, counts, like_contingency, like_counts
from .long import long
from .shaped import RoleColumns, Shape, ShapedRatings, no_column, rating_columns
from .wide import item_column, wide


def shaped(
    c: Columns, name: str, by_role: RoleColumns, shape: Shape | None = None, pattern: str | None = None
) -> ShapedRatings:
    """The ratings of a table of whatever shape.

    Args:
        c: the columns.
        name: of the file, for messages.
        by_role: role -> columns, as the user says.
        shape: None finds it.
        pattern: how the columns of a wide table are called: `{dimension}_{rater}`.
    Raises:
        DataError: no shape fits, or two would.
    """
    if shape == "contingency" or (shape is None and not by_role and like_contingency(c)):
        return contingency(c, name)
    if shape == "counts":
        return counts(c, name, by_role["item"][0] if "item" in by_role else item_column(c), by_role)
    if shape in ("wide", "transposed") or pattern is not None:
        return wide(c, name, by_role, shape == "transposed", pattern)
    r = roles(c, by_role, name)
    if shape == "long" or all(role in r.of for role in ("item", "rater", "value")):
        return long(c, name, r)
    return _unnamed(c, name, by_role, r)


def _unnamed(c: Columns, name: str, by_role: RoleColumns, r: RatingRoles) -> ShapedRatings:
    """Not every role has a column: the ratings are called something else, or the table has another shape."""
    others = rating_columns(c, [column for columns in r.of.values() for column in columns])
    if "item" in r.of and "rater" in r.of and others:
        if len(others) > 1:
            each = " ".join(
                f"--column 'value={n}'" if " " in n else f"--column value={n}" for n in others[:3]
            )
            raise DataError(
                f"{name}: {len(others)} columns could hold ratings: {', '.join(others[:8])}. Name them, "
                f"one dimension each: {each}."
            )
        return long(c, name, RatingRoles(r.of | {"value": (others[0],)}, r.notes))
    if "rater" not in r.of:
        items = by_role["item"][0] if "item" in by_role else item_column(c)
        if like_counts(c, items):
            return counts(c, name, items, by_role)
        return wide(c, name, by_role)
    one_each = len(r.of["rater"]) == 1 and c.table[r.of["rater"][0]].is_unique
    if "item" not in r.of and one_each and len(others) > 1:
        return wide(c, name, {**by_role, "rater": r.of["rater"]}, transposed=True)
    raise no_column(c, name, next(role for role in ("item", "rater", "value") if role not in r.of))
