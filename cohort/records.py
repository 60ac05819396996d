"""What the cohort stage gives to the others: events, evidence, cases, exclusions."""

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from ..study.records import Record
from .words import number

Split = Literal["train", "tuning", "held_out"]
Sex = Literal["female", "male"]
Kind = Literal["condition", "drug", "measurement", "procedure", "observation", "visit", "demographic"]
Outcome = Literal["onset", "death", "event_free", "censored", "labelled"]
"""What ended follow-up inside the horizon. `event_free`: the whole horizon was seen and nothing happened; `labelled`:
the label came with the prediction time, and what ended follow-up, and when, is not known."""


class Event(Record):
    """A dated fact in a person's records, as every source gives it."""

    subject: str
    day: int | None
    """Days since birth; None for what holds always (sex)."""
    kind: Kind
    code: str
    system: str
    """ICD10, ICD9, SNOMED, RxNorm, LOINC, ... or the source's own."""
    value: float | None = None
    unit: str | None = None
    text: str = ""
    """The name of the code, or free text."""
    source: str
    """File and row it came from."""


class Reading(NamedTuple):
    """What a measurement or a question found, and when."""

    age: float | None
    """Years; None where it has no date."""
    value: float | None
    """None where words were found."""
    text: str
    """As it was said, where that is more than the number: `<0.01`, `Not detected`."""

    @property
    def said(self) -> str:
        """As the line says it, without unit and flag.

        >>> Reading(63.0, 30.0, "").said, Reading(69.8, 0.01, "<0.01").said
        ('30', '<0.01')
        """
        return self.text or number(self.value if self.value is not None else float("nan"))


class Evidence(Record):
    """One numbered, citable line of a history. Numbered on the full history, so a budget moves no id.

    All events of one code stand in one line. It states the age at the first event and at the last, how many there
    are, and of what was found the first, the last, and the one between them that departs most from a straight course,
    each with its own age. `readings` gives these in order of time.
    """

    case: str
    id: str = Field(pattern=r"^E\d{3,}$")
    kind: Kind
    age: float | None
    """Age in years at the first event; None where it has no date."""
    last_age: float | None = None
    """Age in years at the last event, whether or not anything was found then; None where it has no date."""
    years_before: float | None
    """Years from the last event to the prediction time; positive."""
    code: str
    system: str
    name: str
    value: float | None = None
    """The number found last; None where nothing or only words were found."""
    text: str = ""
    """The last finding as it was said, where that is more than the number: `<0.01`, `Not detected`."""
    value_age: float | None = None
    """Age at the last finding."""
    first_value: float | None = None
    first_text: str = ""
    first_value_age: float | None = None
    """The first finding, where there are several."""
    between_value: float | None = None
    between_text: str = ""
    between_age: float | None = None
    """The finding between them that departs most from a straight course, where one does."""
    unit: str | None = None
    """Of all values in the line, as it stands there."""
    count: int = 1
    """How many events stand in this line."""
    shown: bool
    """Whether the line is within the token budget; a rationale may cite no other."""
    line: str
    """The line as it stands in the timeline, its id included: `[E007] age 66.4 (3.6 y before): Stroke`."""
    source: str
    """File and row of the first event."""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What the line says was found, in order of time: none to three."""
        three = (
            Reading(self.first_value_age, self.first_value, self.first_text),
            Reading(self.between_age, self.between_value, self.between_text),
            Reading(self.age if self.count == 1 else self.value_age, self.value, self.text),
        )
        return tuple(r for r in three if r.value is not None or r.text)

    @property
    def ages(self) -> tuple[float, ...]:
        """Every age that the line states, in order: of the first event and the last, and of each finding."""
        ages = {self.age, self.last_age, *(r.age for r in self.readings)}
        return tuple(sorted(a for a in ages if a is not None))

    @property
    def values(self) -> tuple[float, ...]:
        """Every number that the line says was found, in order of time."""
        return tuple(r.value for r in self.readings if r.value is not None)

    @property
    def change(self) -> float | None:
        """Last number less the first; None where there are not two."""
        if self.value is None or self.first_value is None:
            return None
        return self.value - self.first_value


class Case(Record):
    """A person at a prediction time: what was known, what came after, and what it counts."""

    id: str
    subject: str
    split: Split
    age: float = Field(ge=0)
    """Years, at the prediction time."""
    sex: Sex | None
    site: str | None = None
    day: int
    """Prediction time in days since birth. Nothing at or after it is in the timeline."""
    prediction_time: datetime | None = None
    """The same in the dates of the records, with the time of day where one was asked for; None where only ages are
    known. No model and no rater sees it."""
    label: int | None = Field(ge=0, le=1)
    """1: onset in (day, day + horizon]; 0: none, death first included; None: lost before the horizon ended."""
    outcome: Outcome
    followup_years: float | None = Field(ge=0)
    """From the prediction time to onset, death, loss or the end of the horizon; None where that is not known."""
    weight: float = Field(ge=0)
    """Inverse probability of being observed (IPCW); 1 where nothing is censored, 0 for a censored case."""
    sampling_weight: float = Field(gt=0, default=1.0)
    """How many people of the source population this one stands for (case-control sampling)."""
    true_risk: float | None = Field(ge=0, le=1, default=None)
    """Risk of onset within the horizon, given everything that the record shows; known only for the simulator."""
    timeline: str
    """The history as every model and every rater sees it: evidence lines within the token budget."""
    n_shown: int
    n_total: int
    """Evidence lines shown, and all there are."""

    @model_validator(mode="after")
    def _label_follows_outcome(self) -> "Case":
        if self.outcome == "labelled":
            if self.label is None:
                raise ValueError("outcome 'labelled' needs a label")
            return self
        expected = {"onset": 1, "death": 0, "event_free": 0, "censored": None}[self.outcome]
        if self.label != expected:
            raise ValueError(
                f"label {self.label} does not go with outcome {self.outcome!r}, which means {expected}"
            )
        return self


class Exclusion(Record):
    """A person left out, and why."""

    subject: str
    reason: str
    """One of a few short names, counted in the flow table."""
    detail: str = ""
