"""What the train stage gives to the others: examples, fits, predictions."""

from typing import Literal

from pydantic import Field, model_validator

from ..study.records import Record

Group = Literal["prompt", "rationale", "label", "auxiliary"]
"""Loss groups. `prompt` never counts; `auxiliary` is the answer to a question beside the main one."""


class Segment(Record):
    """A stretch of text and the loss group of its tokens."""

    text: str
    group: Group


class Example(Record):
    """What a model sees and writes for one case under one target."""

    case: str
    target: str
    segments: tuple[Segment, ...]
    end: Group | None = None
    """Loss group of the end-of-text token behind the last segment; None: there is none."""


class Gradients(Record):
    """How far the gradient of the label and that of the rest of the loss agree, over some steps of a fit."""

    steps: int
    """Steps on which they were compared."""
    cosine: float
    """Mean of the cosine of the angle between them."""
    opposed: float
    """Share of these steps on which the cosine was negative."""
    norm_label: float
    """Mean length of the label's."""
    norm_others: float


class Fit(Record):
    """A trained adapter and what it took."""

    cell: str
    base: str
    key: str = ""
    """Hash of everything that makes the fit: base, encoded examples, settings. Empty in older folders."""
    parameters: int
    trained_parameters: int
    examples: int
    epochs: float
    steps: int
    tokens: dict[str, int]
    """Tokens seen per epoch, by loss group: how diluted the label is."""
    final_loss: dict[str, float]
    """Mean of the last epoch, by loss group, nats per token."""
    gradients: Gradients | None = None
    """None: the loss has one part, or they were not compared."""
    seconds: float
    truncated: int = 0
    """Training cases whose history was shortened to the base's context or `max_length`, oldest lines first."""
    lines_cut: int = 0
    """Lines of evidence that gave way, over all training cases."""
    cited_cut: int = 0
    """Of these, lines that the rationale taught with the case cites."""


class Parity(Record):
    """How far two ways to run the same fit are apart."""

    way: str
    """`merged` into the base, or `served`."""
    reference: str
    cases: int
    """Held-out cases that were compared."""
    largest: float
    """Largest difference of a class's probability."""


class FitReading(Record):
    """How a fit was read."""

    cell: str
    cases: int
    shortened: int
    """Held-out cases whose history was shortened to the base's context."""
    parity: tuple[Parity, ...] = ()
    keys: dict[str, str] = Field(default_factory=dict)
    """Hash of everything that makes the rows of each read-out; a read-out with the same one is not read again."""
    seconds: float
    """Of the last reading."""


class Baseline(Record):
    """A model without text, as it was fitted for this study."""

    cell: str
    """Its name in the predictions: the baseline's own, and the training size where the grid has several."""
    name: str
    """A name in `train/baselines.py`."""
    n: int | None
    """Training cases; None: it learns nothing from them."""
    parameters: int | None = None
    """Predictor parameters of a regression; None where that is no count of what it fits."""
    optimum: bool = False
    """Its risk is the true one, about the source population: no model can rank better."""


class Prediction(Record):
    """One risk for one case, held out or of the tuning split, under one read-out."""

    cell: str
    """Of the fit, or the name of a baseline."""
    readout: str
    """How the risk was read: a name in `train/reading/readouts.py`, or `baseline`."""
    case: str
    risk: float | None = Field(ge=0, le=1)
    why_missing: str | None = None
    decoded: int | None = None
    """The class that the model wrote, where a decoding was asked for; None: none could be read, or none was asked."""
    written: str | None = None
    """What the model wrote before its label, where it wrote."""
    unfinished: bool = False
    """It did not come to its answer by itself; the frame of the answer was set behind what it had written."""

    @model_validator(mode="after")
    def _risk_or_reason(self) -> "Prediction":
        if (self.risk is None) == (self.why_missing is None):
            raise ValueError(
                "a prediction has a risk or a reason for its absence, never both and never neither"
            )
        return self
