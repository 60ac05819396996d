"""The risks of a file, cell by cell: by model, training run and case."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...study.errors import DataError
from ..measures.arrays import Floats
from .source import SourceFile, as_number, cell

Run = tuple[str, str]
"""A model, and the seed of one of its training runs as text; empty: it has none."""


class _Row(NamedTuple):
    risk: float | None
    place: str


@dataclass
class Risks:
    """Risks by training run and case, and why some are missing."""

    rows: dict[Run, dict[str, _Row]] = field(default_factory=dict)
    missing: dict[Run, Counter[str]] = field(default_factory=dict)

    def add(self, source: SourceFile, known: Container[str], several: bool, needed_in: str = "") -> None:
        """Take the risks of a file.

        Args:
            source: the file.
            known: the cases that count.
            several: it is one of several files, so that its name is part of the name of a model.
            needed_in: the table that every case must be in; empty: cases that do not count are passed over.
        Raises:
            DataError: a risk outside [0, 1], no risk and no reason, a case twice or in no table; with the place.
        """
        whys = source.cells("why_missing")
        for i, case, run, text in _cells(source, several):
            place = source.place(i)
            if case not in known:
                if needed_in:
                    raise DataError(f"{place}: case {case} has no row in {needed_in}.")
                continue
            rows = self.rows.setdefault(run, {})
            if case in rows:
                model = f"{run[0]}, seed {run[1]}" if run[1] else run[0]
                raise DataError(
                    f"{place}: case {case} is predicted twice by {model}; first at {rows[case].place}."
                )
            rows[case] = _Row(_risk(place, text, whys[i]), place)
            if text is None:
                self.missing.setdefault(run, Counter())[str(whys[i])] += 1

    def lined_up(self, run: Run, cases: Sequence[str]) -> tuple[Floats, dict[str, int]]:
        """(n,) risks of a run for these cases, NaN where there is none, and the reasons with their counts."""
        rows = self.rows[run]
        risks = [rows[c].risk if c in rows else None for c in cases]
        absent = sum(c not in rows for c in cases)
        missing = dict(self.missing.get(run, {})) | ({"no row": absent} if absent else {})
        return np.array([np.nan if r is None else r for r in risks]), missing


def _cells(source: SourceFile, several: bool) -> Iterator[tuple[int, str, Run, str | None]]:
    """Row, case, run and text of each risk."""
    ids, names, seeds = source.case_ids(), source.cells("model"), source.cells("seed")
    for column in source.roles.risks:
        texts = [cell(v) for v in source.frame[column]]
        for i, (case, text) in enumerate(zip(ids, texts, strict=True)):
            yield i, case, (_model(source, i, names[i], column, several), _seed(seeds[i])), text


def _seed(text: str | None) -> str:
    """A seed as text; whole numbers are the same with and without a point.

    >>> _seed("3.0"), _seed("03"), _seed("late"), _seed(None)
    ('3', '3', 'late', '')
    """
    value = as_number(text)
    return str(int(value)) if value is not None and value.is_integer() else text or ""


def _model(source: SourceFile, i: int, name: str | None, column: str, several: bool) -> str:
    """What a model is called: as its column says, else as its file, or as its column of risks."""
    if source.has("model") and name is None:
        raise DataError(f"{source.place(i)}: no model. Every row needs the name of its model.")
    wide = len(source.roles.risks) > 1
    parts = [name or "", source.path.stem if several and name is None else "", column if wide else ""]
    return ", ".join(p for p in parts if p) or source.path.stem


def _risk(place: str, text: str | None, why: str | None) -> float | None:
    if text is None:
        if why is None:
            raise DataError(
                f"{place}: no risk and no reason. Say why in a column why_missing, or leave the row out."
            )
        return None
    value = as_number(text)
    if value is None or not 0 <= value <= 1:
        raise DataError(f"{place}: risk {text}; risks are numbers in [0, 1].")
    return value


def seed_numbers(runs: Sequence[Run]) -> dict[Run, int]:
    """A number for each run's seed: the seed itself where all are whole numbers, else its place in order.

    >>> seed_numbers([("a", "s2"), ("a", "s1"), ("b", "s1")])
    {('a', 's2'): 1, ('a', 's1'): 0, ('b', 's1'): 0}
    """
    texts = sorted({seed for _, seed in runs}, key=lambda s: (len(s), s))
    if all(t.isdigit() for t in texts if t):
        return {run: int(run[1] or 0) for run in runs}
    return {run: texts.index(run[1]) for run in runs}
