"""The section `[cohort]` of a study file."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..study.parts import Part
from ..study.records import Record


def _off(value: Any) -> Any:
    return None if value is False else value


Off = BeforeValidator(_off)
"""TOML has no null: `false` switches off what has a default."""

Leak = Literal["keep", "mask", "exclude"]
"""keep: as any other event; mask: taken out of the timeline; exclude: who has one before the index is left out."""


class Confirm(Record):
    """When a first code counts as an onset. None of the rules: one code is enough. Any one of them suffices."""

    again_after_days: int | None = Field(default=None, ge=1)
    """A second code at least so many days after the first (7 to 30 is common)."""
    within_days: int = Field(default=730, ge=1)
    """... and at most so many days after it."""
    drug: bool = False
    """A drug of the code set's `drugs`, ever."""
    inpatient: bool = False
    """A visit of a hospital stay (`inpatient` in the code set) on the same day."""


class Phenotype(Record):
    """What counts as the disease."""

    codes: str = "adrd"
    """A built-in code set (`cohort/data/*.toml`) or the path of a file of the same form."""
    confirm: Confirm = Confirm()


class Predict(Record):
    """When the prediction is made: one rule for everybody that uses nothing of what comes later."""

    rule: Literal["fixed_age", "landmark", "enrolment", "random_visit", "per_row", "aces"] = "random_visit"
    """fixed_age: the birthday; landmark: a calendar date; enrolment: `after_days` after observation began;
    random_visit: the first visit at or after an age drawn
    for the person before the record is looked at; per_row: from a file; aces: by an ACES task configuration, which
    gives the labels too (MEDS records only)."""
    age: float | None = Field(default=None, gt=0, lt=120)
    """Years, for `fixed_age`."""
    date: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    """For `landmark`."""
    after_days: int = Field(default=1, ge=0)
    """For `enrolment`. 1: what was found on the first day is in the history."""
    file: str | None = None
    """For `per_row`: CSV or Parquet with a person and a `prediction_time` or `prediction_age` (years) a row. For
    `aces`: the task's YAML."""
    predicates: str | None = None
    """For `aces`: a YAML with predicates of these records, which come before those of the task."""
    subject: str | None = None
    """For `per_row`: the column of the person. None: `subject_id`, `patient_id` or `person_id`."""
    time: str = "prediction_time"
    """For `per_row`: the column of the date."""
    date_format: str | None = None
    """For `per_row`: strptime format where dates are not `2010-05-17`."""
    labels: str | None = None
    """For `per_row`: the column of the file that holds the labels (MEDS: `boolean_value`). Then nothing about
    eligibility or outcome is decided here: who is in the file is in the study. None: labels from the phenotype."""
    min_age: float = Field(default=65.0, ge=0)
    max_age: float = Field(default=85.0, le=120)
    """Years; who is outside [min_age, max_age) at the prediction time is left out."""

    @model_validator(mode="after")
    def _what_the_rule_needs(self) -> "Predict":
        needs = {"fixed_age": "age", "landmark": "date", "per_row": "file", "aces": "file"}.get(self.rule)
        if needs and getattr(self, needs) is None:
            raise ValueError(f"rule {self.rule!r} needs {needs!r}")
        if self.labels is not None and self.rule != "per_row":
            raise ValueError(f"labels come with rule 'per_row', not {self.rule!r}")
        if self.predicates is not None and self.rule != "aces":
            raise ValueError(f"predicates come with rule 'aces', not {self.rule!r}")
        if not self.min_age < self.max_age:
            raise ValueError(f"min_age {self.min_age} is not below max_age {self.max_age}")
        return self

    @property
    def asked(self) -> bool:
        """Whether a file or a task says who is predicted when."""
        return self.rule in ("per_row", "aces")

    @property
    def labelled(self) -> bool:
        """Whether the labels come with the prediction times, so that nothing about the outcome is decided here."""
        return self.labels is not None or self.rule == "aces"


class Followup(Record):
    """Until when a person was watched, beyond what the source itself says."""

    until: Literal["record", "last_event"] = "record"
    """record: the source's own end of observation, and the last event where it has none; last_event: always that."""
    until_age: float | None = Field(default=None, gt=0)
    """Years. Nobody is watched past this age, and everybody alive is watched up to it: for sources that end so."""
    until_date: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    """The end of the study. Everybody alive is watched up to it; what came later is cut off and counted."""
    undated_death: Literal["exclude", "censor"] = "exclude"
    """Who is known to have died on a day that is not known: left out, or watched up to the last event."""


class Leakage(Record):
    """Signs of the disease that are not yet its diagnosis."""

    mci: Leak = "keep"
    """Mild cognitive impairment and memory complaints."""
    cognitive_tests: Leak = "keep"
    """Tests of cognition, such as the MMSE."""
    drugs: Leak = "exclude"
    """Dementia drugs; who has one before the prediction time is, as a rule, a prevalent case."""


class SplitRule(Record):
    """Who trains, who tunes, who is held out. Always whole persons."""

    by: Literal["person", "site", "time", "source"] = "person"
    """person: a hash of the id, which stays when people are added; site or time: those named below are held out and
    the rest is split by person; source: as the records themselves say (MEDS `subject_splits`)."""
    tuning: float = Field(default=0.1, ge=0, lt=1)
    held_out: float = Field(default=0.3, gt=0, lt=1)
    """Shares of the people."""
    sites: tuple[str, ...] = ()
    """Held out, for `site`."""
    after: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    """For `time`: who is predicted at or after this date is held out."""

    @model_validator(mode="after")
    def _what_the_rule_needs(self) -> "SplitRule":
        if self.by == "site" and not self.sites:
            raise ValueError("by = 'site' needs 'sites', those held out")
        if self.by == "time" and self.after is None:
            raise ValueError("by = 'time' needs 'after', a date")
        if self.tuning + self.held_out >= 1:
            raise ValueError("nobody is left to train: tuning + held_out must be below 1")
        return self


class Match(Record):
    """Controls of like age and sex for each case."""

    ratio: int = Field(default=4, ge=1)
    """Controls a case."""
    caliper: float = Field(default=0.0, ge=0)
    """Years that ages may differ; 0: the same age in whole years."""
    sex: bool = True
    """Whether controls have the sex of their case."""


class Sampling(Record):
    """Case-control sampling within each split; the weights that undo it are kept with every case."""

    train: int | None = Field(default=None, gt=0)
    tuning: int | None = Field(default=None, gt=0)
    held_out: int | None = Field(default=None, gt=0)
    """Cases and controls together, at most; None: as many as the share of cases allows."""
    case_share: float | None = Field(default=None, gt=0, lt=1)
    """Share with onset among those sampled; None: as in the population."""
    match: Match | None = None
    """Controls drawn for each case instead of at random; then `case_share` follows from the ratio."""

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "Sampling":
        if self.match is not None and self.case_share is not None:
            raise ValueError("case_share follows from match.ratio; give only one of them")
        return self


class Timeline(Record):
    """The history as text."""

    budget: Annotated[int | None, Off] = Field(default=512, gt=0)
    """Tokens; `false`: everything is shown."""
    tokenizer: str | None = None
    """Path of a `tokenizer.json` that counts the tokens; None: an estimate, a token for two characters."""
    policy: Literal["recent", "rare", "mixed"] = "mixed"
    """What stays when the budget is short: the newest; the rarest; or risk factors of the code set, then other
    conditions, then the last 24 months, then the rest."""
    sections: bool = False
    """Headings: the person, earlier conditions, drugs, measurements, other earlier entries, the last 24 months."""
    free_text: bool = False
    """Whether texts that are neither results (`Not detected`, `1:80`) nor words of a vocabulary stand in the lines,
    shortened to 80 characters. They can hold names and addresses."""
    values: Literal[2, 3] = 3
    """Findings of a repeated measurement that its line states: the first and the last; with 3 also the one between
    them that departs most from a straight course, where one does."""


class Settings(Record):
    """Patient records become cases."""

    source: Part
    """A file of `cohort/sources/` by name, and its options."""
    phenotype: Phenotype = Phenotype()
    predict: Predict = Predict()
    horizon_years: float = Field(default=5.0, gt=0)
    outcome: str = ""
    """What is predicted, as in "Will dementia be diagnosed within five years?"; empty: what the code set calls it."""
    question: str = ""
    """Asked of every teacher, model and rater; empty: made from the outcome and the horizon."""
    history_years: float = Field(default=1.0, ge=0)
    """Observation required before the prediction time."""
    min_events: int = Field(default=1, ge=0, le=1)
    """1: who has no dated event before the prediction time is left out, for there is nothing to read; 0: such people
    stay, with what holds always."""
    gap_days: int = Field(default=0, ge=0)
    """The history stops so many days before the prediction time; who is a case does not change with it."""
    followup: Followup = Followup()
    censored: Literal["exclude", "weight"] = "weight"
    """Who is lost before the horizon ends is never a negative: left out, and with `weight` the others are weighted
    by the inverse of their probability of being seen (IPCW)."""
    leakage: Leakage = Leakage()
    split: SplitRule = SplitRule()
    sampling: Sampling | None = None
    timeline: Timeline = Timeline()
    near_duplicates: Annotated[float | None, Off] = Field(default=0.9, gt=0, le=1)
    """Jaccard index at which two histories count as the same person's; such a pair is not left in two parts of the
    split. `false`: not compared."""
    bad_rows: float = Field(default=0.01, ge=0, le=1)
    """Share of a file's rows that may be unreadable before the source is refused."""

    @model_validator(mode="after")
    def _words_for_a_task(self) -> "Settings":
        if self.predict.rule == "aces" and not (self.outcome and self.question):
            raise ValueError(
                "rule 'aces' needs 'outcome' and 'question': what the task's labels say, in words"
            )
        return self
