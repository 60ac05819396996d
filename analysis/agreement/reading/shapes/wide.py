"""A column a rater; a row a rater and a column an item; or columns named by two of item, rater and dimension."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from .....study.errors import DataError, StudyError
from ..header import Columns
from ..kinds import numeric, plain, stem
from ..roles import ROLES, check_columns
from ..words import STRONG, as_number, folded
from .shaped import (
    ROW_NAMES,
    RoleColumns,
    ShapedRatings,
    check_cells,
    check_names,
    joined,
    no_column,
    rating_columns,
    text,
    unused,
)

RATER_LIKE = re.compile(
    r"(?:rater|reader|coder|annotator|grader|reviewer|judge|expert|doctor|dr|physician|clinician|observer|assessor|"
    r"evaluator|radiologist|pathologist|user|worker|ann|anno|obs|rev|r|a|j|c|o)_?\d{1,3}|"
    r"(?:rater|reader|coder|annotator|grader|reviewer|judge|expert|physician|clinician|observer)_?[a-z]"
)
"""Names that only raters have."""

REPEATED = re.compile(r"(?:(?:t|time|rep|read|reading|session|visit|round)?_?\d+ ?)+", re.IGNORECASE)
"""Names of readings: 1 2, t1 t2, session_1 session_2; joined by blanks."""

SIGNS = ("_", ".", " - ", ": ", " ", "-")
"""Between the two parts of a column's name."""

FIXED = ("item", "rater", "cluster", "group", "order")


def wide(
    c: Columns, name: str, by_role: RoleColumns, transposed: bool = False, pattern: str | None = None
) -> ShapedRatings:
    """The ratings of a wide table.

    Args:
        c: the columns.
        name: of the file, for messages.
        by_role: role -> columns; those of `value` are the columns with ratings.
        transposed: a row is a rater and a column an item.
        pattern: how the columns are called: `{dimension}_{rater}`.
    Raises:
        DataError: fewer than two columns of ratings, or columns that hold different things.
    """
    check_columns(c, by_role, name)
    key, other = ("rater", "item") if transposed else ("item", "rater")
    own = _own_columns(c, by_role, key)
    used = [column for columns in own.values() for column in columns]
    columns = list(by_role.get("value", ())) or rating_columns(c, used)
    pattern = pattern or _grid(columns, name)
    parts: dict[str, dict[str, str]] = {n: {other: n} for n in columns}
    if pattern is not None:
        parts = {n: m for n in columns if (m := _matched(pattern, n)) is not None}
    sure = "value" in by_role or pattern is not None or (not transposed and raters_only(list(parts)))
    _check(c, name, list(parts), sure, other)
    ratings = _melted(c, own, parts, name)
    counted = key not in own and key not in next(iter(parts.values()))
    if counted:
        ratings[key] = [f"row {i + 1}" for i in ratings["_row"]]
    check_names(ratings[key], key, ratings["where"], name)
    notes = []
    if not transposed and pattern is None and not all(RATER_LIKE.fullmatch(plain(n)) for n in parts):
        notes.append(
            "each of these columns is taken for a rater; questions that one rater answered need a column "
            "that says who it was"
        )
    return ShapedRatings(
        ratings.drop(columns="_row"),
        "transposed" if transposed else "wide",
        _meanings(own, parts, key if counted else None),
        unused(c, [*used, *parts]),
        tuple(notes),
        reference=_reference(c, own, counted),
        cluster_name=stem(own["cluster"][0]) if "cluster" in own else "cluster",
    )


def item_column(c: Columns) -> str | None:
    """The column that names the rows: called so, or unique and not like its neighbours."""
    unique = [n for n in c.table.columns if c.table[n].is_unique and c.table[n].notna().all()]
    for rank in ROLES["item"]:
        for n in c.table.columns:
            if n in unique and (plain(n) in rank or stem(n) in rank):
                return str(n)
    first = str(c.table.columns[0])
    if first not in unique:
        return None
    cells = c.table[first].tolist()
    counts = len(cells) > 5 and [as_number(cell) for cell in cells] == list(range(1, len(cells) + 1))
    return first if plain(first) in ROW_NAMES or counts or not numeric(cells) else None


def raters_only(names: Sequence[str]) -> bool:
    """All are names that only raters have."""
    return all(RATER_LIKE.fullmatch(plain(n)) for n in names)


def _own_columns(c: Columns, by_role: RoleColumns, key: str) -> dict[str, tuple[str, ...]]:
    """The columns that hold no ratings but say something of the row."""
    own = {role: tuple(n) for role, n in by_role.items() if role != "value"}
    if key not in own:
        column = item_column(c) if key == "item" else _named(c, "rater", own)
        own |= {key: (column,)} if column is not None else {}
    for role in ("cluster", "group", "reference"):
        if role not in own and (column := _named(c, role, own)) is not None:
            own[role] = (column,)
    if "count" not in own and key not in own and (column := _named(c, "count", own)) is not None:
        own["count"] = (column,)
    return own


def _named(c: Columns, role: str, own: RoleColumns) -> str | None:
    taken = {n for columns in own.values() for n in columns}
    free = [n for n in c.table.columns if n not in taken]
    return next((n for rank in ROLES[role] for n in free if plain(n) in rank or stem(n) in rank), None)


def _meanings(
    own: RoleColumns, parts: Mapping[str, Mapping[str, str]], counted: str | None
) -> dict[str, str]:
    meaning = {role: ", ".join(n) for role, n in own.items()}
    if counted is not None:
        meaning[counted] = "the rows, counted"
    for role in next(iter(parts.values())):
        shown = list(dict.fromkeys(m[role] for m in parts.values()))
        meaning[role] = f"the columns {', '.join(shown[:8])}{', ...' if len(shown) > 8 else ''}"
    return meaning


def _reference(c: Columns, own: RoleColumns, counted: bool) -> pd.DataFrame | None:
    if "reference" not in own:
        return None
    items = [f"row {i + 1}" for i in range(len(c.table))] if counted else joined(c, own["item"])
    return pd.DataFrame(
        {"item": items, "value": text(c, own["reference"][0]), "where": c.lines.astype(object)}
    )


def _check(c: Columns, name: str, columns: Sequence[str], sure: bool, other: str) -> None:
    """The columns are alike, so that they may be ratings on one scale.

    Raises:
        DataError: fewer than two, two of one name, or some that hold other values than the rest.
    """
    if len(columns) < 2:
        raise no_column(c, name, other)
    bare = [n.partition(" (column ")[0] for n in columns]
    twice = next((n for n in bare if n in c.twice), None)
    if twice is not None:
        at = " and ".join(map(str, c.twice[twice]))
        raise DataError(
            f"{name}: {len(c.twice[twice])} columns are called {twice!r} (columns {at}). Rename or remove the others."
        )
    odd = [] if sure else [n for n in columns if not _alike(c, n, [m for m in columns if m != n])]
    if odd:
        rest = [n for n in columns if n not in odd] or list(columns)
        each = " ".join(f"--column value={n}" for n in rest[:3])
        raise DataError(
            f"{name}: no column for {other}, and the columns {', '.join(map(repr, columns[:8]))} hold "
            "different things "
            f"({odd[0]!r}: {', '.join(_some(c, odd[0]))}). Say which is what: --column item=NAME --column rater=NAME "
            f"--column value=NAME; or, for one column per rater: --wide {each} ..."
        )


def _some(c: Columns, column: str) -> list[str]:
    kinds = dict.fromkeys(cell.strip() for cell in c.table[column] if cell and cell.strip())
    return [repr(k[:20]) for k in list(kinds)[:3]]


def _alike(c: Columns, column: str, others: Sequence[str]) -> bool:
    """Numbers in the range of the others' numbers, or words that the others have too."""
    own, rest = _kinds(c, [column]), _kinds(c, others)
    numbers = [n for k in own if (n := as_number(k, comma=True)) is not None]
    their = [n for k in rest if (n := as_number(k, comma=True)) is not None]
    if len(numbers) == len(own) and len(their) > len(rest) / 2:
        return sum(min(their) <= n <= max(their) for n in numbers) >= 0.5 * len(numbers)
    return len(own & rest) >= 0.5 * len(own)


def _kinds(c: Columns, columns: Sequence[str]) -> set[str]:
    cells = pd.unique(c.table[list(columns)].to_numpy().ravel())
    return {folded(cell) for cell in cells if cell and cell.strip()} - STRONG


def _melted(c: Columns, own: RoleColumns, parts: Mapping[str, Mapping[str, str]], name: str) -> pd.DataFrame:
    """A row a rating; `_row` counts the rows of the table."""
    check_cells(c, [n for columns in own.values() for n in columns], name)
    rows = list(range(len(c.table)))
    if "count" in own:
        rows = [i for i in rows for _ in range(_times(c, own["count"][0], i, name))]
    empty = pd.Series([""] * len(c.table), dtype=object)
    fixed = {role: joined(c, own[role]) if role in own else empty for role in FIXED}
    pieces = []
    for column, of in parts.items():
        piece = pd.DataFrame(fixed)
        piece["replicate"], piece["dimension"] = "", "value"
        for role, part in of.items():
            piece[role] = [f"{cell} {part}" for cell in piece[role]] if role in own else part
        piece["value"] = text(c, column)
        piece["where"] = [f"{line}, {column}" for line in c.lines]
        pieces.append(piece.iloc[rows].assign(_row=range(len(rows))))
    return pd.concat(pieces, ignore_index=True)


def _times(c: Columns, column: str, row: int, name: str) -> int:
    times = as_number(c.table[column].iloc[row] or "")
    if not isinstance(times, int) or times < 0:
        raise DataError(
            f"{name}:{c.lines[row]}, {column}: {c.table[column].iloc[row]!r} is not a count of rows. Give "
            "a whole number."
        )
    return times


def _matched(pattern: str, name: str) -> dict[str, str] | None:
    """The parts of a column's name, by role."""
    pieces = re.split(r"\{(\w+)\}", pattern)
    if len(pieces) < 3 or set(pieces[1::2]) - {"item", "rater", "dimension", "replicate"}:
        raise StudyError(
            f"--names {pattern!r}: write it like '{{dimension}}_{{rater}}'. Known: item, rater, dimension, replicate."
        )
    expression = "".join(f"(?P<{p}>.+?)" if i % 2 else re.escape(p) for i, p in enumerate(pieces))
    m = re.fullmatch(expression, name)
    return m.groupdict() if m else None


def _grid(columns: Sequence[str], name: str) -> str | None:
    """The pattern of names that are a full grid of two parts, one of them raters.

    Raises:
        DataError: a grid, but nothing tells which part the raters are.
    """
    for sign in SIGNS:
        parts = [n.rpartition(sign)[::2] for n in columns]
        left, right = {a for a, _ in parts}, {b for _, b in parts}
        if not all(a and b for a, b in parts) or min(len(left), len(right)) < 2:
            continue
        if len(left) * len(right) != len(columns):
            continue
        raters = raters_only(list(left)), raters_only(list(right))
        if raters[0] != raters[1]:
            if REPEATED.fullmatch(" ".join(sorted(right if raters[0] else left))):
                _ask_repeated(columns, sign, raters[0], name)
            return f"{{rater}}{sign}{{dimension}}" if raters[0] else f"{{dimension}}{sign}{{rater}}"
        raise DataError(
            f"{name}: the columns are named by two things ({', '.join(sorted(left)[:4])}; "
            f"{', '.join(sorted(right)[:4])}): "
            f"which are the raters? Say --names '{{dimension}}{sign}{{rater}}' or --names "
            f"'{{rater}}{sign}{{dimension}}'; {{replicate}} stands for repeated readings."
        )
    return None


def _ask_repeated(columns: Sequence[str], sign: str, rater_first: bool, name: str) -> None:
    """Numbers beside raters: repeated readings, or questions?

    Raises:
        DataError: always.
    """
    first, second = ("{rater}", "{%s}") if rater_first else ("{%s}", "{rater}")
    ways = [(first + sign + second) % role for role in ("replicate", "dimension")]
    raise DataError(
        f"{name}: the columns {', '.join(columns[:4])}, ... may be repeated readings or questions. Say "
        f"--names '{ways[0]}' or --names '{ways[1]}'."
    )
