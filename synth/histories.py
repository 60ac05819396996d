"""The cohort's tables as histories: a case and its evidence together."""

from collections.abc import Iterator
from pathlib import Path

from ..cohort.records import Case, Evidence
from ..study.errors import DataError
from ..study.records import from_frame, read_table
from .teaching import History


def histories(cohort: Path, splits: tuple[str, ...]) -> Iterator[History]:
    """Every case of the splits with its evidence, in the order of the case table.

    Raises:
        DataError: a table is missing or wrong, or evidence belongs to no case.
    """
    cases = read_table(cohort / "cases.parquet", Case)
    evidence = read_table(cohort / "evidence.parquet", Evidence)
    lost = set(evidence["case"]) - set(cases["id"])
    if lost:
        raise DataError(
            f"{cohort / 'evidence.parquet'}: evidence of case {sorted(lost)[0]!r}, which is not in cases.parquet. "
            "Run `wherefore cohort` again in a new run folder."
        )
    wanted = cases[cases["split"].isin(splits)]
    rows = dict(iter(evidence.groupby("case", sort=False)))
    for case in from_frame(wanted, Case):
        group = rows.get(case.id)
        yield History(case, tuple(from_frame(group, Evidence)) if group is not None else ())


def count(cohort: Path, splits: tuple[str, ...]) -> int:
    """How many cases will be asked about."""
    cases = read_table(cohort / "cases.parquet", Case)
    return int((cases["split"].isin(splits) & cases["label"].notna()).sum())
