"""The cohort's tables as histories, a case and its evidence together, read as a stream."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..cohort.records import Case, Evidence
from ..study import layout
from ..study.errors import DataError
from ..study.records import SCHEMA_VERSION, R, first_fault
from .teaching import History

ROWS = 1024
"""Read at once; the memory needed does not grow with the cohort."""


def histories(cohort: Path, splits: tuple[str, ...]) -> Iterator[History]:
    """Every case of the splits with its evidence, in the order of the case table.

    Raises:
        DataError: a table is missing or wrong, or a case has not the evidence that it counts.
    """
    groups = groupby(_rows(cohort / layout.EVIDENCE.name, Evidence), key=lambda row: row["case"])
    head = next(groups, None)
    for number, row in enumerate(_rows(cohort / layout.CASES.name, Case)):
        case = _record(row, Case, cohort / layout.CASES.name, number)
        lines: list[dict[str, Any]] = []
        if head is not None and head[0] == case.id:
            lines = list(head[1])
            head = next(groups, None)
        if len(lines) != case.n_total:
            raise DataError(
                f"{cohort / 'evidence.parquet'}: {len(lines)} lines follow for case {case.id!r}, which counts "
                f"{case.n_total}. Evidence stands in the order of cases.parquet; run the cohort stage again."
            )
        if case.split in splits:
            yield History(
                case,
                tuple(_record(r, Evidence, cohort / layout.EVIDENCE.name, i) for i, r in enumerate(lines)),
            )
    if head is not None:
        raise DataError(
            f"{cohort / 'evidence.parquet'}: evidence of case {head[0]!r}, which is not in cases.parquet."
        )


def count(cohort: Path, splits: tuple[str, ...]) -> int:
    """How many cases will be asked about: those of the splits that have a label."""
    rows = _rows(cohort / layout.CASES.name, Case, ["split", "label"])
    return sum(r["split"] in splits and r["label"] is not None for r in rows)


def _rows(path: Path, kind: type[R], columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a table of the cohort stage."""
    import pyarrow.parquet as pq

    if not path.exists():
        raise DataError(f"{path}: not found. Run the cohort stage first.")
    file = pq.ParquetFile(path, pre_buffer=False)  # it would hold what is long read
    label = file.schema_arrow.metadata or {}
    schema = (label.get(b"wherefore.record", b"").decode(), label.get(b"wherefore.schema", b"").decode())
    if schema != (kind.__name__, str(SCHEMA_VERSION)):
        raise DataError(
            f"{path}: holds {' version '.join(schema).strip()}, not {kind.__name__} version {SCHEMA_VERSION}."
        )
    for batch in file.iter_batches(ROWS, columns=columns):
        yield from batch.to_pylist()


def _record(row: dict[str, Any], kind: type[R], path: Path, number: int) -> R:
    """A row as a record; NaN, which pandas writes where nothing is, is None."""
    plain = {name: None if value != value else value for name, value in row.items()}
    try:
        return kind.model_validate(plain)
    except ValidationError as e:
        raise DataError(f"{path}: row {number}: {first_fault(e, kind)}") from e


def tables(home: Path) -> list[Path]:
    """The files of the cohort stage that this stage reads.

    Raises:
        DataError: one is not there.
    """
    paths = [layout.CASES.at(home), layout.EVIDENCE.at(home)]
    lacking = next((path for path in paths if not path.exists()), None)
    if lacking is not None:
        raise DataError(f"{lacking}: not found. Run `wherefore cohort` first.")
    return paths
