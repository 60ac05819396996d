"""Cases and their evidence on the way to disk: a piece at a time, none of them held."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pandas as pd

from ..study import layout
from ..study.records import Record
from ..study.tables import TableWriter, pieces
from .near import COLUMNS, HistoryMarks
from .records import Case, Evidence

KINDS: tuple[type[Record], type[Record]] = (Case, Evidence)


class Output:
    """Writes `cases.parquet` and `evidence.parquet` of a folder, and keeps of each case all but its timeline."""

    def __init__(self, folder: Path) -> None:
        self._paths = {"id": folder / layout.CASES.name, "case": folder / layout.EVIDENCE.name}
        self._stack, self._histories = ExitStack(), HistoryMarks()
        self._cases: list[pd.DataFrame] = []

    def __enter__(self) -> Self:
        kinds = zip(self._paths.values(), KINDS, strict=True)
        self._writers = [self._stack.enter_context(TableWriter(path, kind)) for path, kind in kinds]
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def append(self, cases: pd.DataFrame, evidence: pd.DataFrame) -> None:
        """Rows of `Case`, and of `Evidence` all lines of these cases."""
        for writer, frame in zip(self._writers, (cases, evidence), strict=True):
            writer.append(frame)
        self._histories.add(cases, evidence)
        self._cases.append(cases.drop(columns="timeline"))

    def without_twins(self, limit: float | None) -> tuple[pd.DataFrame, set[str]]:
        """All cases, timelines left out, and the subjects of those that went: histories in two parts of the split.

        Call it once everything is on disk; where a case goes, both tables are written again without it.
        """
        cases = pd.concat(self._cases, ignore_index=True)
        gone = self._histories.twins(limit, self._lines_of)
        if gone:
            for (column, path), kind in zip(self._paths.items(), KINDS, strict=True):
                with TableWriter(path, kind) as writer:
                    for piece in pieces(path):
                        writer.append(piece[~piece[column].isin(gone)])
        return cases[~cases["id"].isin(gone)].reset_index(drop=True), set(
            cases.loc[cases["id"].isin(gone), "subject"]
        )

    def _lines_of(self, ids: set[str]) -> pd.DataFrame:
        parts = [p[p["case"].isin(ids)] for p in pieces(self._paths["case"], COLUMNS)]
        return pd.concat(parts, ignore_index=True)
