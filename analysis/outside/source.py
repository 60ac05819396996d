"""One file of predictions: its rows, what its columns are, and where each row is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...study.errors import DataError, not_one_of
from .columns import ROLES, PredictionRoles, roles
from .files import PARQUET, table

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, Sequence[str]]
"""Role to columns, as the user says."""


class SourceFile(NamedTuple):
    """A file and what its columns are."""

    path: Path
    frame: "pd.DataFrame"
    roles: PredictionRoles

    def place(self, i: int) -> str:
        """Where row `i` (from 0) is: `a.csv:12`, a line of a text file; `a.parquet: row 12`, counted from 0."""
        row = self.frame.index[i]
        return f"{self.path}: row {row}" if self.path.suffix.lower() in PARQUET else f"{self.path}:{row}"

    def has(self, role: str) -> bool:
        """Whether it has such a column."""
        return role in self.roles.column

    def cells(self, role: str) -> list[str | None]:
        """A column as text, None where a cell is empty; nothing but None where there is no such column."""
        if not self.has(role):
            return [None] * len(self.frame)
        return [cell(v) for v in self.frame[self.roles.column[role]]]

    def case_ids(self) -> list[str]:
        """The id of each row's case: its own column; else person and time; else the person; else the row.

        Raises:
            DataError: a row without one.
        """
        if self.has("case"):
            ids = self.cells("case")
        elif self.has("person") and self.has("time"):
            both = zip(self.cells("person"), self.cells("time"), strict=True)
            ids = [None if p is None or t is None else f"{p} {t}" for p, t in both]
        elif self.has("person"):
            ids = self.cells("person")
        else:
            ids = [str(row) for row in self.frame.index]
        out = []
        for i, case in enumerate(ids):
            if case is None:
                raise DataError(f"{self.place(i)}: no case. Every row needs the id of its case.")
            out.append(case)
        return out


def cell(value: Any) -> str | None:
    """A cell as text; None where it is empty. Whole numbers are the same with and without a point.

    >>> cell(12.0), cell(float("nan")), cell(" a ")
    ('12', None, 'a')
    """
    if isinstance(value, np.ndarray | list | tuple | dict):
        return str(value)
    if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip() or None


def as_number(text: str | None) -> float | None:
    """A number; None for what is none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def opened(
    files: Sequence[Path], columns: Columns, needed: Sequence[str], cases: Path | None = None
) -> tuple[list[SourceFile], SourceFile | None]:
    """Files of predictions, and the table of cases beside them where there is one.

    Args:
        files: of predictions.
        columns: what the user says.
        needed: roles that each file of predictions must have.
        cases: the table that has the label of each case.
    Raises:
        DataError: a file that cannot be read, or a column that cannot be found.
    """
    frames = {path: table(path) for path in (*files, *([cases] if cases is not None else []))}
    _check(frames, columns)
    sources = [_source(path, frames[path], columns, needed) for path in files]
    other = None if cases is None else _source(cases, frames[cases], columns, ("label",), RISKS)
    return sources, other


RISKS = ("risk", "model", "seed", "why_missing")
"""What a table of cases does not have."""


def _check(frames: Mapping[Path, "pd.DataFrame"], columns: Columns) -> None:
    """Refuse a role that does not exist, and a column that is in none of the files."""
    header = list(dict.fromkeys(c for frame in frames.values() for c in frame.columns))
    for role, names in columns.items():
        if role not in ROLES:
            raise DataError(f"--column {role}=...: {not_one_of('role', role, ROLES)}")
        for name in names:
            if name not in header:
                raise DataError(f"{next(iter(frames))}: {not_one_of('column', name, header)}")
        if len(names) > 1 and role != "risk":
            raise DataError(
                f"--column {role}=...: given {len(names)} times; only risk may be several columns."
            )


def _source(
    path: Path, frame: "pd.DataFrame", columns: Columns, needed: Sequence[str], ignored: Sequence[str] = ()
) -> SourceFile:
    header = list(frame.columns)
    named = {role: here for role, names in columns.items() if (here := [c for c in names if c in header])}
    return SourceFile(path, frame, roles(header, named, str(path), needed, ignored))
