"""`[analysis]` of the study file: intervals, comparisons, what the report may show."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ..study.records import Record


class Outside(Record):
    """A model that was made elsewhere: its risks for the held-out people stand beside the study's own."""

    path: str
    """CSV or Parquet: a case (or a person, where each has one) and a risk a row; model, seed and label too."""
    name: str = ""
    """What the report calls it; empty: as the file says, or the file's name."""
    about: Literal["sample", "source"] = "sample"
    """Whom its risks are about: people as this study drew them, or the population that they were drawn from."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Columns that are not found by their names: `{ case = "row", risk = "xgb" }`."""


class Settings(Record):
    """How the predictions are judged. Every default can stand in a paper."""

    replicates: int = Field(ge=100, default=2000)
    """Bootstrap draws of persons, for metrics whose variance has no formula; the built-in ones all have one."""
    reference: str = "label_only"
    """The target that the others are compared with."""
    reference_readout: str = "direct"
    """How risk is read from the reference target."""
    compared: tuple[str, ...] = Field(
        min_length=1, default=("roc_auc", "pr_auc", "sensitivity_at_90", "brier")
    )
    """Metrics of the paired comparisons: names in `analysis/measures/metrics.py`; each is a family of its own
    under Holm's correction."""
    bins: int = Field(ge=2, le=50, default=10)
    """Of the calibration curve: equal counts."""
    age_bands: tuple[float, ...] = (70.0, 80.0)
    """Years at the prediction time where a new age band starts, for the subgroups."""
    smallest_group: int = Field(ge=5, default=10)
    """A subgroup with fewer people with, or without, the outcome than this gets no number: with fewer than five no
    interval covers."""
    outside: tuple[Outside, ...] = ()
    """Models made elsewhere: paths of files, or tables with `path`, `name`, `about` and `columns`."""
    example: Literal["auto", "always", "never"] = "auto"
    """Whether the report shows one person's timeline; `auto`: only where the records are synthetic."""

    @field_validator("outside", mode="before")
    @classmethod
    def _paths(cls, value: Any) -> Any:
        """A path alone stands for a table with nothing else in it."""
        if not isinstance(value, list | tuple):
            return value
        return [{"path": entry} if isinstance(entry, str) else entry for entry in value]

    @model_validator(mode="after")
    def _bands_rise(self) -> "Settings":
        if list(self.age_bands) != sorted(set(self.age_bands)):
            raise ValueError(f"age bands must rise: {self.age_bands}")
        return self
