"""What the analysis stage makes: numbers with their interval and count, comparisons, the data of figures."""

from pydantic import model_validator

from ..study.records import Record


class Agreement(Record):
    """How far raters agree on one dimension, by one coefficient."""

    dimension: str
    statistic: str
    """A name in the table of `analysis/agreement`."""
    value: float | None
    low: float | None = None
    high: float | None = None
    """Limits of the 95 % interval; None, with `why_missing`, where there is none."""
    n_items: int
    n_raters: int
    n_ratings: int
    why_missing: str | None = None
    method: str = ""
    """How the interval was made, in words that can stand in a methods section."""
    simulated: bool = False
    """The raters were programs."""

    @model_validator(mode="after")
    def _value_or_reason(self) -> "Agreement":
        if self.value is None and not self.why_missing:
            raise ValueError("a coefficient without a value needs a reason")
        return self


class Metric(Record):
    """One number about one set of predictions."""

    cell: str
    readout: str
    metric: str
    """`roc_auc`, `pr_auc`, `brier`, `calibration_slope`, ..."""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    """Cases in it."""
    n_positive: int
    n_missing: int = 0
    """Cases without a prediction; they are in no other count."""
    why_missing: str | None = None


class Comparison(Record):
    """Two configurations on the same cases with the same bootstrap draws; `a` minus `b`."""

    metric: str
    a: str
    a_readout: str
    b: str
    b_readout: str
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    """Holm, over all comparisons of one family."""
    family: str = ""
    n: int
    why_missing: str | None = None


class Curve(Record):
    """One point of a figure's data, with the count behind it."""

    figure: str
    series: str
    x: float
    y: float | None
    low: float | None = None
    high: float | None = None
    n: int
