"""Records that a test writes become a cohort, without a run folder."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from wherefore.cohort import sources
from wherefore.cohort.build import Counts, build
from wherefore.cohort.events import Place
from wherefore.cohort.phenotype import code_set
from wherefore.cohort.reading.bad_rows import BadRows
from wherefore.cohort.records import Case, Evidence
from wherefore.cohort.settings import Settings
from wherefore.cohort.tokens import counter
from wherefore.study import parts
from wherefore.study.records import read_table


class Cohort(NamedTuple):
    """What stands in the run folder."""

    cases: pd.DataFrame
    evidence: pd.DataFrame
    exclusions: pd.DataFrame
    counts: Counts


def read(source: str, write: Callable[[Path], dict[str, Any]], **cohort: Any) -> tuple[Cohort, BadRows]:
    """The cohort of the records that `write` puts into a folder, predicted at age 70."""
    with tempfile.TemporaryDirectory() as name:
        folder, scratch = Path(name) / "records", Path(name) / "scratch"
        folder.mkdir(), scratch.mkdir()
        settings = Settings.model_validate(
            {
                "predict": {"rule": "fixed_age", "age": 70},
                "history_years": 0,
                "min_events": 0,
                "timeline": {"budget": None},
                **cohort,
                "source": {"name": source, **write(folder)},
            }
        )
        part = parts.find(sources, "source", source)
        place = Place(Path, 0, scratch, BadRows(settings.bad_rows))
        records = part.read(settings.source.options(part.Options, "cohort.source"), place)
        out = Path(name) / "out"
        made = build(records, settings, code_set("adrd", Path()), 0, counter(None), place.bad, out)
        cases, evidence = (
            read_table(out / "cases.parquet", Case),
            read_table(out / "evidence.parquet", Evidence),
        )
        return Cohort(cases, evidence, made.exclusions, made.counts), place.bad
