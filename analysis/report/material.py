"""What the sections of a report are made from: the tables, and what the other stages left, each read once."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...annotate.records import Rating, Verdict
from ...cohort.phenotype import CodeSet, code_set
from ...cohort.records import Case, Evidence
from ...cohort.settings import Settings as CohortSettings
from ...study import layout
from ...study.config import Study
from ...study.files import rows, text
from ...study.reads import reading
from ...study.records import read_table
from ...study.runs import Manifest, manifest
from ...synth.records import Grounding, Rationale, Refusal
from ..records import Population
from ..settings import Settings
from ..tables import Tables
from .rows import RowIds

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class ReportNumbers:
    """Tables and figures, wherever the predictions came from."""

    settings: Settings
    tables: Tables
    figures: Mapping[str, str] = field(default_factory=dict)
    """SVG texts by name."""
    home: str = ""
    """The folder of the tables, as the page names it."""

    @cached_property
    def rows(self) -> RowIds:
        """Ids of the rows of all tables."""
        return RowIds(self.tables)

    @cached_property
    def population(self) -> Population:
        """Whom the numbers are about."""
        evaluation = self.tables.evaluation
        return evaluation.held.population if evaluation else "sample"

    @property
    def people(self) -> str:
        """The same in words."""
        return "weighted to the source population" if self.population == "source" else "people as sampled"


@dataclass(frozen=True, kw_only=True)
class Material(ReportNumbers):
    """One study as a report sees it."""

    study: Study
    run_folder: Path
    home: str = "analysis/"

    @cached_property
    def cohort(self) -> CohortSettings:
        """The cohort's settings, defaults filled in."""
        return self.study.section("cohort", CohortSettings)

    @cached_property
    def codes(self) -> CodeSet:
        """The code set that defines the outcome."""
        name = self.cohort.phenotype.codes
        return code_set(name, reading(self.study.path(name)))

    @property
    def source(self) -> str:
        """The name of the cohort's source."""
        return self.cohort.source.name

    @property
    def simulated(self) -> bool:
        """The people come from the simulator."""
        return self.source == "simulated"

    @property
    def synthetic(self) -> bool:
        """The records are nobody's, by the study file or by their source."""
        declared = self.study.data_use is not None and self.study.data_use.kind == "synthetic"
        return declared or self.simulated

    @cached_property
    def cases(self) -> "pd.DataFrame":
        """`Case` table."""
        return read_table(layout.CASES.at(self.run_folder), Case)

    @cached_property
    def evidence(self) -> "pd.DataFrame":
        """`Evidence` table."""
        return read_table(layout.EVIDENCE.at(self.run_folder), Evidence)

    @cached_property
    def rationales(self) -> list[Rationale]:
        """The teacher's."""
        return rows(layout.RATIONALES.at(self.run_folder), Rationale)

    @cached_property
    def groundings(self) -> list[Grounding]:
        """The checks of their claims."""
        return rows(layout.GROUNDINGS.at(self.run_folder), Grounding)

    @cached_property
    def refusals(self) -> list[Refusal]:
        """Answers that became no rationale."""
        return rows(layout.REFUSALS.at(self.run_folder), Refusal)

    @cached_property
    def ratings(self) -> list[Rating]:
        """Grades by people, or by programs in their place."""
        return rows(layout.RATINGS.at(self.run_folder), Rating)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The consensus on each graded rationale."""
        return rows(layout.VERDICTS.at(self.run_folder), Verdict)

    @cached_property
    def outcome_was(self) -> str:
        """What the teacher knew of the outcome: `told to the teacher`."""
        shown = (
            "told to the teacher"
            if any(r.label_shown for r in self.rationales)
            else "not told to the teacher"
        )
        return str(self.json(layout.CARD).get("told", shown))

    def json(self, file: layout.RunFile) -> dict[str, Any]:
        """A JSON file of the run folder; empty where there is none."""
        return dict(json.loads(text(file.at(self.run_folder)) or "{}"))

    def csv(self, file: layout.RunFile) -> list[dict[str, str]]:
        """The rows of a CSV file of the run folder; none where there is none."""
        return list(csv.DictReader(io.StringIO(text(file.at(self.run_folder)) or "")))

    def manifest(self, stage: str) -> Manifest | None:
        """What made a stage's folder."""
        return manifest(self.run_folder / stage)
